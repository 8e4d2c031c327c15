// Im2colExplorer: the columns of a convolution, built turn by turn in two ways, and the product
// that follows.
import { build, clamp, fitted, outputSize, pad2d, shapeOf } from "./kit/arithmetic.js";
import { blockArray } from "./kit/blocks.js";
import { buttons, player, slider, stepper } from "./kit/controls.js";
import { after, h, live } from "./kit/elements.js";
import { slice, times } from "./kit/formula.js";
import { frame } from "./kit/frame.js";
import { matrix } from "./kit/matrix.js";
import { scroller } from "./kit/scroller.js";
import { factor, fmt } from "./kit/text.js";
import "./im2col.css";

const KEYS = ["x", "f", "kernel_size", "stride", "padding", "method", "step", "row", "col"];
const LARGEST = 6;
const LARGE = 100; // the side of an input for which the turns are counted too

function render({ model, el }) {
  const ui = frame({ model, el, title: "im2col: copy all windows, then multiply once", keys: KEYS, draw, walks: ["step", "row", "col"] });
  const get = (key) => model.get(key);

  const method = buttons({
    label: "Loop", name: "loop", options: {
      output: ["over the output", "Loop over the output"], filter: ["over the filter", "Loop over the filter"],
    },
    onchange: (value) => ui.set({ method: value, step: 0 }),
  });
  const kernel = ["FH", "FW"].map((label, axis) => slider({ label, min: 1, max: 4, oninput: (v) => {
    const size = get("kernel_size").map((old, i) => (i === axis ? v : old));
    ui.set({ kernel_size: size, f: fitted(get("f"), ...size) });
  } }));
  const stride = slider({ label: "stride S", min: 1, max: 4, oninput: (v) => ui.set({ stride: v }) });
  const padding = slider({ label: "padding P", min: 0, max: 2, oninput: (v) => ui.set({ padding: v }) });
  const turn = slider({ label: "", min: 1, max: 9, oninput: (v) => go(v - 1) });
  turn.input.setAttribute("aria-label", "turn of the loop");

  const X = matrix({ symbol: "X", label: "Input X with its padding", onedit: (r, c, value) => {
    const next = structuredClone(get("x"));
    next[r - get("padding")][c - get("padding")] = value;
    ui.set({ x: next });
  } });
  const F = matrix({ symbol: "F", label: "Filter F", onedit: (r, c, value) => {
    const next = fitted(get("f"), ...get("kernel_size"));
    next[r][c] = value;
    ui.set({ f: next });
  } });
  const steppers = ["H", "W"].map((label, axis) => stepper({ label, min: 1, max: LARGEST, onchange: (size) => {
    const old = get("x");
    const shape = shapeOf(old);
    shape[axis] = clamp(size, 1, LARGEST);
    ui.set({ x: build(...shape, (r, c) => old[r]?.[c] ?? 0) });
  } }));
  X.el.append(h("div", { class: "cb-sizes" }, steppers.map((s) => s.el)));
  const blocks = blockArray();
  const blocksName = h("b");
  const blocksShape = h("span", { class: "cb-shape" });
  const blocksBox = scroller("The fourth-order array", blocks.el);
  const columns = matrix({ symbol: "columns", label: "Columns" });
  const weights = matrix({ symbol: "F", label: "Filter F as one column" });
  const flat = matrix({ symbol: "Y", label: "Output Y as one column" });
  const Y = matrix({ symbol: "Y", label: "Output Y", onpick: (row, col) => ui.set({ row, col }) });

  const steps = player({ count: () => turns(), position: () => now(), go });
  ui.tools.append(...steps.els);
  const message = h("div", { class: "cb-message", role: "status" });
  const line = live("cb-code");
  const left = h("div", { class: "cb-stack" }, X.el, F.el);
  const array = h("div", { class: "cb-array" },
    h("div", { class: "cb-array-head" }, blocksName, " ", blocksShape), blocksBox.el);
  const stage = h("div", { class: "cb-stage cb-copy" }, left, array);
  const count = h("div", { class: "cb-formula" });
  const productCode = h("div", { class: "cb-code" });
  const productBox = scroller("The matrix product",
    h("div", { class: "cb-product" }, columns.el, after("@", weights.el), after("=", flat.el)));
  const sum = live("cb-sum");
  const product = h("div", { class: "cb-formula cb-multiply" }, productCode,
    h("div", { class: "cb-stage" }, productBox.el, after("→", Y.el)), sum);
  const legend = h("div", { class: "cb-legend" });
  ui.add(h("div", { class: "cb-controls" }, method.el, stride.el, padding.el, ...kernel.map((k) => k.el)),
    message, h("div", { class: "cb-turns" }, turn.el, line), stage, count, product, legend);
  const hold = ui.hold(line, stage, count, product);

  function outputShape() {
    return shapeOf(get("x")).map((n, axis) =>
      outputSize(n, get("kernel_size")[axis], get("stride"), get("padding")));
  }
  const fits = () => outputShape().every((n) => n > 0);
  function turns() {
    const [rows, cols] = get("method") === "output" ? outputShape() : get("kernel_size");
    return fits() ? rows * cols : 0;
  }
  function now() {
    return clamp(get("step"), 0, Math.max(0, turns() - 1));
  }
  function go(step) {
    const [, ow] = outputShape();
    // Looping over the output, a turn completes one row of the columns: the product shows that row.
    ui.set(get("method") === "output" ? { step, row: Math.floor(step / ow), col: step % ow } : { step });
  }

  function settle() {
    blocksBox.settle(blocks.lit());
    productBox.settle(columns.el.querySelector("td.window.picked") ?? columns.el.querySelector("td.picked"));
  }

  function draw() {
    const [x, size, S, P] = ["x", "kernel_size", "stride", "padding"].map(get);
    const [fh, fw] = size;
    const f = fitted(get("f"), ...size);
    const [hx, wx] = shapeOf(x);
    const [oh, ow] = outputShape();
    const possible = fits();
    const overOutput = get("method") === "output";
    const [total, step] = [turns(), now()];
    method.show(get("method"));
    kernel.forEach((k, axis) => k.show(size[axis]));
    stride.show(S);
    padding.show(P);
    turn.show(step + 1, { max: Math.max(1, total) });
    turn.input.disabled = total < 2;
    steppers.forEach((s, axis) => s.show([hx, wx][axis]));

    const padded = pad2d(x, P);
    const scale = Math.max(1e-12, ...x.flat().map(Math.abs));
    const outer = overOutput ? [oh, ow] : size; // which block
    const inner = overOutput ? size : [oh, ow]; // where in the block
    const current = [Math.floor(step / outer[1]), step % outer[1]];
    // Cell (r, c) of block (i, j): i and r are an output and a filter position, or the other way
    // round.
    const source = (i, j, r, c) => (overOutput ? [i * S + r, j * S + c] : [i + r * S, j + c * S]);
    const lit = new Set();
    if (possible) build(...inner, (r, c) => lit.add(source(...current, r, c).join()));
    const isPadding = (r, c) => r < P || c < P || r >= P + hx || c >= P + wx;
    X.show(padded, {
      scale,
      mark: (r, c) => [isPadding(r, c) && "padding", lit.has(`${r},${c}`) && "window"].filter(Boolean).join(" "),
    });
    F.show(f, { mark: (r, c) => (possible && !overOutput && r === current[0] && c === current[1] ? "window" : "") });
    array.style.visibility = possible ? "" : "hidden";
    product.style.visibility = possible ? "" : "hidden";
    const paddedShape = times(hx + 2 * P, wx + 2 * P);
    message.textContent = possible ? "" : `The filter needs ${times(fh, fw)} cells and does not fit into `
      + `the padded input of ${paddedShape}. Add padding, or take a smaller filter.`;
    line.replaceChildren(...(possible ? turnLine() : []));
    count.replaceChildren(...(possible ? comparison() : []));
    legend.textContent = P ? `dashed: padding; the slices count from the corner of the padded X, ${paddedShape}` : "";
    if (possible) {
      drawBlocks();
      drawProduct();
    }
    legend.hidden = !P;
    hold();
    settle();

    function turnLine() {
      const [i, j] = current;
      const [rows, cols] = overOutput
        ? [slice(i * S, fh, 1), slice(j * S, fw, 1)] : [slice(i, oh, S), slice(j, ow, S)];
      const loop = overOutput ? `oh = ${i}, ow = ${j}` : `fh = ${i}, fw = ${j}`;
      return [
        h("span", { class: "cb-turn" }, "turn ", h("b", {}, String(step + 1)), ` of ${total} · ${loop}`),
        h("code", {}, `${overOutput ? "X̃" : "X̂"}[${i}, ${j}] = X[${rows}, ${cols}]`),
      ];
    }
    function comparison() {
      const many = [fh, fw].map((k) => outputSize(LARGE, k, S, P));
      const number = (n) => n.toLocaleString("en").replace(",", "\u202f");
      const way = (chosen, text, turnsText, n, copies, large) => h("div", { class: `cb-way${chosen ? " picked" : ""}` },
        h("span", { "aria-hidden": "true" }, chosen ? "▸ " : ""), h("b", {}, text),
        ` ${turnsText} = `, h("b", {}, `${n} turn${n > 1 ? "s" : ""}`), `, each copies ${times(...copies)} `,
        `(${number(large)} if X were ${LARGE} × ${LARGE})`);
      return [
        way(overOutput, "over the output:", `OH·OW = ${oh}·${ow}`, oh * ow, size, many[0] * many[1]),
        way(!overOutput, "over the filter:", `FH·FW = ${fh}·${fw}`, fh * fw, [oh, ow], fh * fw),
      ];
    }
    function drawBlocks() {
      const name = overOutput ? "X̃" : "X̂";
      blocksName.textContent = name;
      const axes = overOutput ? "OH × OW × FH × FW" : "FH × FW × OH × OW";
      blocksShape.textContent = `${axes} = ${times(...outer, ...inner)}`;
      blocks.show(outer, inner, (i, j) => {
        if (i * outer[1] + j > step) return null;
        return build(...inner, (r, c) => {
          const [a, b] = source(i, j, r, c);
          return padded[a][b];
        });
      }, { current, scale, name });
    }
    function drawProduct() {
      const [row, col] = [clamp(get("row"), 0, oh - 1), clamp(get("col"), 0, ow - 1)];
      // Row (oh, ow) and column (fh, fw) of the columns, whichever way they were copied.
      const weight = (q) => f[Math.floor(q / fw)][q % fw];
      const filled = (p, q) => (overOutput ? p : q) <= step;
      const cols = build(oh * ow, fh * fw, (p, q) => (filled(p, q)
        ? padded[Math.floor(p / ow) * S + Math.floor(q / fw)][(p % ow) * S + (q % fw)] : null));
      const y = cols.map((numbers) => (numbers.includes(null) ? null
        : numbers.reduce((result, v, q) => result + v * weight(q), 0)));
      const picked = row * ow + col;
      columns.show(cols, {
        scale,
        mark: (p, q) => [(overOutput ? p : q) === step && "window", p === picked && "picked"].filter(Boolean).join(" "),
      });
      weights.show(build(fh * fw, 1, weight), {
        mark: (q) => (!overOutput && q === step ? "window" : ""),
      });
      flat.show(y.map((v) => [v]), { mark: (p) => (p === picked ? "picked" : "") });
      Y.show(build(oh, ow, (r, c) => y[r * ow + c]), { mark: (r, c) => (r === row && c === col ? "picked" : "") });
      const windows = overOutput ? "X̃" : "X̂.transpose(2, 3, 0, 1)";
      productCode.replaceChildren(
        h("code", {}, `columns = ${windows}.reshape(${oh * ow}, ${fh * fw})`),
        h("code", {}, `Y = (columns @ F.reshape(${fh * fw})).reshape(${oh}, ${ow})`));
      const missing = overOutput ? `its row comes in turn ${picked + 1}` : `complete with the last turn, turn ${total}`;
      sum.replaceChildren(
        h("span", {}, h("i", {}, "y"), h("sub", {}, `${row},${col}`), " ="),
        h("span", {}, ...(y[picked] === null ? [h("span", { class: "cb-shape" }, missing)]
          : [cols[picked].map((v, q) => `${factor(v)}·${factor(weight(q))}`).join(" + "), " = ",
            h("b", { class: "cb-result" }, fmt(y[picked]))])),
      );
    }
  }

  return ui.start({ watch: ui.tools.parentElement, resized: settle, stop: steps.stop });
}

export default { render };
