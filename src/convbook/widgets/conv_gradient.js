// ConvGradientExplorer: the gradients of a convolution, element by element and as whole arrays.
import {
  build, clamp, conv2dBackward, extent, fitted, outputSize, pad2d, reached, shapeOf,
} from "./kit/arithmetic.js";
import { blockArray } from "./kit/blocks.js";
import { buttons, examples, player, slider, stepper } from "./kit/controls.js";
import { after, h, live } from "./kit/elements.js";
import { joined, slice, symbol, times } from "./kit/formula.js";
import { frame } from "./kit/frame.js";
import { matrix } from "./kit/matrix.js";
import { scroller } from "./kit/scroller.js";
import { factor, fmt } from "./kit/text.js";
import "./kit/gradient.css";

const KEYS = ["x", "f", "dy", "stride", "padding", "mode", "view", "row", "col", "step"];
const LIMITS = { x: 6, f: 4 };
const MOST_SYMBOLS = 16; // longer sums are written out in numbers only

const count = (n) => build(n, n, (r, c) => n * r + c + 1);
const PLAIN = { x: count(4), f: [[1, 2], [3, 4]], dy: [[1, 2, -1], [0, 3, 1], [2, -2, 1]], stride: 1, padding: 0 };
const PRESETS = {
  course: ["Course: X 4 × 4, F 2 × 2", PLAIN],
  ones: ["dY all 1: how much of F reaches each x", { ...PLAIN, dy: build(3, 3, () => 1) }],
  single: ["One output counts: dX is F, laid down there", { ...PLAIN, dy: [[0, 0, 0], [0, 1, 0], [0, 0, 0]] }],
  strided: ["Stride 2: windows side by side",
    { ...PLAIN, x: count(6), dy: [[1, 2, -1], [0, 3, 1], [2, -2, 1]], stride: 2 }],
  unread: ["Stride 2: a column and a row that E does not feel",
    { ...PLAIN, x: count(5), dy: [[1, 2], [-1, 3]], stride: 2 }],
  ring: ["A ring of zeros, 3 × 3 filter", {
    ...PLAIN, f: [[1, 1, 1], [2, 0, 1], [-1, -1, 0]], padding: 1,
    dy: [[1, 2, -1, 0], [0, 3, 1, 2], [2, -2, 1, 1], [1, 0, -1, 2]],
  }],
};

function render({ model, el }) {
  const ui = frame({ model, el, title: "Convolution, backwards: where a gradient comes from", keys: KEYS, draw, walks: ["row", "col", "step"] });
  const get = (key) => model.get(key);
  const inX = () => get("mode") === "x";
  const inOne = () => get("view") === "one";

  const start = { row: 0, col: 0, step: 0 };
  const preset = examples({ options: PRESETS, start, get, set: ui.begin });
  const mode = buttons({
    label: "gradient", name: "gradient", options: { x: ["dX", "gradient: dX"], f: ["dF", "gradient: dF"] },
    onchange: (value) => ui.set({ mode: value, ...start }),
  });
  const view = buttons({
    label: "show", name: "show",
    options: { one: ["one element", "show: one element"], all: ["whole array", "show: whole array"] },
    onchange: (value) => ui.set({ view: value, step: 0 }),
  });
  const stride = slider({ label: "stride S", min: 1, max: 4, oninput: (v) => change({ stride: v }) });
  const padding = slider({ label: "padding P", min: 0, max: 2, oninput: (v) => change({ padding: v }) });

  const edit = (key) => (r, c, value) => {
    const shift = key === "x" ? get("padding") : 0;
    const next = structuredClone(key === "dy" ? dyNow() : get(key));
    next[r - shift][c - shift] = value;
    ui.set({ [key]: next });
  };
  const pickIn = (key) => (r, c) => { if (get("mode") === key && inOne()) pick(r, c); };
  const X = matrix({ symbol: "X", label: "Input X with its padding", onedit: edit("x"), onpick: pickIn("x") });
  const F = matrix({ symbol: "F", label: "Filter F", onedit: edit("f"), onpick: pickIn("f") });
  const DY = matrix({ symbol: "dY", label: "Gradient dY", onedit: edit("dy") });
  const DX = matrix({ symbol: "dX", label: "Gradient dX with what falls on the padding", onpick: pickIn("x") });
  const DF = matrix({ symbol: "dF", label: "Gradient dF", onpick: pickIn("f") });
  const steppers = {};
  for (const [key, m, names] of [["x", X, ["H", "W"]], ["f", F, ["FH", "FW"]]]) {
    steppers[key] = names.map((name, axis) => stepper({ label: name, min: 1, max: LIMITS[key], onchange: resize(key, axis) }));
    m.el.append(h("div", { class: "cb-sizes" }, steppers[key].map((s) => s.el)));
  }
  const blocks = blockArray();
  const blocksName = h("b");
  const blocksShape = h("span", { class: "cb-shape" });
  const blocksBox = scroller("The fourth-order array", blocks.el);
  const array = h("div", { class: "cb-array" },
    h("div", { class: "cb-array-head" }, blocksName, " ", blocksShape), blocksBox.el);
  const toDX = after("→", DX.el);
  const toDF = after("→", DF.el);

  const steps = player({
    count: () => { const [rows, cols] = places(); return fits() ? rows * cols : 0; },
    position: () => { const [, cols] = places(); const [r, c] = now(); return r * cols + c; },
    go: (k) => { const [, cols] = places(); ui.set(inOne() ? { row: Math.floor(k / cols), col: k % cols } : { step: k }); },
  });
  ui.tools.append(...steps.els);
  const message = h("div", { class: "cb-message", role: "status" });
  const code = h("div", { class: "cb-code cb-turns" });
  const stage = h("div", { class: "cb-stage cb-gradient" }, X.el, F.el, DY.el, array, toDX, toDF);
  const sum = live("cb-sum");
  const remark = h("div", { class: "cb-remark" });
  const bias = h("div", { class: "cb-formula" });
  const legend = h("div", { class: "cb-legend" });
  ui.add(
    h("div", { class: "cb-controls" }, preset.el, h("div", { class: "cb-choices" }, mode.el, view.el), stride.el, padding.el),
    message, code, stage, sum, remark, bias, legend,
  );
  const hold = ui.hold(code, stage, sum, remark, bias, legend);

  function outputShape(s = {}) {
    const [x, f, S, P] = ["x", "f", "stride", "padding"].map((key) => s[key] ?? get(key));
    return shapeOf(x).map((n, axis) => outputSize(n, shapeOf(f)[axis], S, P));
  }
  const fits = () => outputShape().every((n) => n > 0);
  const dyNow = () => (fits() ? fitted(get("dy"), ...outputShape()) : get("dy"));
  /** New values, and dY in the shape that Y has with them. */
  function change(values) {
    const shape = outputShape(values);
    ui.set({ ...values, ...(shape.every((n) => n > 0) ? { dy: fitted(get("dy"), ...shape) } : {}) });
  }
  function resize(key, axis) {
    return (size) => {
      const shape = shapeOf(get(key));
      shape[axis] = clamp(size, 1, LIMITS[key]);
      change({ [key]: fitted(get(key), ...shape) });
    };
  }
  function pick(r, c) {
    const shift = inX() ? get("padding") : 0;
    const [rows, cols] = places();
    const [row, col] = [r - shift, c - shift];
    if (row >= 0 && col >= 0 && row < rows && col < cols) ui.set({ row, col });
  }
  /**
   * The shape of what the player walks through: the elements of X or F, or the blocks that are
   * added.
   */
  function places() {
    if (inOne()) return shapeOf(get(get("mode")));
    return inX() ? outputShape() : shapeOf(get("f"));
  }
  function now() {
    const [rows, cols] = places();
    if (inOne()) return [clamp(get("row"), 0, rows - 1), clamp(get("col"), 0, cols - 1)];
    const step = clamp(get("step"), 0, Math.max(0, rows * cols - 1));
    return [Math.floor(step / cols), step % cols];
  }

  function draw() {
    const [x, f, S, P] = ["x", "f", "stride", "padding"].map(get);
    const dy = dyNow();
    const possible = fits();
    const [forX, one] = [inX(), inOne()];
    const [hx, wx] = shapeOf(x);
    const [fh, fw] = shapeOf(f);
    const [oh, ow] = outputShape();
    const [row, col] = now();
    preset.show();
    mode.show(get("mode"));
    view.show(get("view"));
    stride.show(S);
    padding.show(P);
    steppers.x.forEach((s, axis) => s.show([hx, wx][axis]));
    steppers.f.forEach((s, axis) => s.show([fh, fw][axis]));

    const padded = pad2d(x, P);
    const seen = reached(hx + 2 * P, wx + 2 * P, fh, fw, S);
    const isPadding = (r, c) => r < P || c < P || r >= P + hx || c >= P + wx;
    const terms = possible ? termsOf() : [];
    // What is lit in each matrix: "r,c" -> small print in the corner ("" for none).
    const lit = { x: new Map(), f: new Map(), dy: new Map() };
    const light = (name, r, c, note = "") => lit[name].set(`${r},${c}`, note);
    for (const t of terms) {
      if (forX && one) light("dy", t.r, t.c, `·${fmt(f[t.fr][t.fc])}`);
      if (forX && one) light("f", t.fr, t.fc);
      if (!forX) light("x", t.xr, t.xc, one ? `·${fmt(dy[t.r][t.c])}` : "");
    }
    if (possible && forX && !one) light("dy", row, col);
    const marks = (name, more) => ({
      mark: (r, c) => [lit[name].has(`${r},${c}`) && "window", more?.(r, c)].filter(Boolean).join(" "),
      note: (r, c) => lit[name].get(`${r},${c}`) ?? "",
    });
    const ring = (r, c) => [isPadding(r, c) && "padding", !seen[r][c] && "unreached"].filter(Boolean).join(" ");
    const chosen = (r, c) => (r === row && c === col ? "picked" : "");
    const chosenX = (r, c) => (forX && one && r === row + P && c === col + P ? "picked" : "");

    // What the operation does not need is left out: the numbers of X for dX, those of F for dF.
    X.el.hidden = possible && forX && !one;
    F.el.hidden = possible && !forX && !one;
    X.show(padded, marks("x", (r, c) => `${ring(r, c)} ${chosenX(r, c)}`.trim()));
    F.show(f, marks("f", (r, c) => (!forX && one ? chosen(r, c) : "")));
    DY.el.hidden = !possible;
    array.hidden = !possible || one;
    toDX.hidden = !possible || !forX;
    toDF.hidden = !possible || forX;
    message.textContent = possible ? "" : `The filter needs ${times(extent(fh), extent(fw))} cells and does not fit into `
      + `the padded input of ${times(hx + 2 * P, wx + 2 * P)}. Add padding, or take a smaller filter.`;
    code.hidden = one;
    if (possible) {
      DY.show(dy, marks("dy"));
      if (!one) drawBlocks();
      if (forX) drawDX();
      else drawDF();
    }
    code.replaceChildren(...(possible && !one ? codeLines() : []));
    sum.hidden = forX && !one;
    sum.replaceChildren(...(possible && (one || !forX) ? sumLines() : []));
    remark.textContent = possible ? remarks() : "";
    bias.replaceChildren(...(possible ? biasLine() : []));
    legend.textContent = possible ? legends() : "";
    hold();
    blocksBox.settle(blocks.lit());

    /** The products that make up the chosen element of dX or of dF, in the order of the outputs. */
    function termsOf() {
      if (forX && !one) return [];
      const list = [];
      for (let r = 0; r < oh; r++)
        for (let c = 0; c < ow; c++) {
          const [fr, fc] = forX ? [row + P - r * S, col + P - c * S] : [row, col];
          if (fr >= 0 && fc >= 0 && fr < fh && fc < fw) list.push({ r, c, fr, fc, xr: r * S + fr, xc: c * S + fc });
        }
      return list;
    }
    function drawDX() {
      // Step by step, only the outputs up to now have added their blocks.
      const given = one ? dy : build(oh, ow, (r, c) => (r * ow + c <= row * ow + col ? dy[r][c] : 0));
      const landing = (r, c) => !one && r >= row * S && r < row * S + fh && c >= col * S && c < col * S + fw;
      DX.show(conv2dBackward(given, x, f, { stride: S, padding: P }).dx, {
        scale: largest(conv2dBackward(dy, x, f, { stride: S, padding: P }).dx),
        mark: (r, c) => [ring(r, c), landing(r, c) && "window", chosenX(r, c)].filter(Boolean).join(" "),
        shape: P ? `${times(hx, wx)} inside ${times(hx + 2 * P, wx + 2 * P)}` : times(hx, wx),
      });
    }
    function drawDF() {
      const { df } = conv2dBackward(dy, x, f, { stride: S, padding: P });
      const filled = (r, c) => one || r * fw + c <= row * fw + col;
      DF.show(build(fh, fw, (r, c) => (filled(r, c) ? df[r][c] : null)), { scale: largest(df), mark: chosen });
    }
    function drawBlocks() {
      const [outer, inner] = forX ? [[oh, ow], [fh, fw]] : [[fh, fw], [oh, ow]];
      const value = forX ? (i, j, r, c) => dy[i][j] * f[r][c] : (i, j, r, c) => padded[r * S + i][c * S + j];
      const filled = (i, j) => i * outer[1] + j <= row * outer[1] + col;
      const scale = forX ? largest(dy) * largest(f) : largest(x);
      const name = forX ? "dX̃" : "X̂";
      blocksName.textContent = name;
      blocksShape.textContent = `${forX ? "OH × OW × FH × FW" : "FH × FW × OH × OW"} = ${times(...outer, ...inner)}`;
      blocks.show(outer, inner, (i, j) => (filled(i, j) ? build(...inner, (r, c) => value(i, j, r, c)) : null),
        { current: [row, col], scale, name });
    }
    function codeLines() {
      const [rows, cols] = places();
      const at = `${row}, ${col}`;
      const turn = h("span", { class: "cb-turn" }, "step ", h("b", {}, String(row * cols + col + 1)), ` of ${rows * cols}`);
      const lines = forX
        ? [`dX̃[${at}] = dY[${at}] * F`, `dX[${slice(row * S, fh, 1)}, ${slice(col * S, fw, 1)}] += dX̃[${at}]`]
        : [`X̂[${at}] = X[${slice(row, oh, S)}, ${slice(col, ow, S)}]`, `dF[${at}] = (dY * X̂[${at}]).sum()`];
      if (forX && P) lines.push(`in the end: dX = dX[${slice(P, hx, 1)}, ${slice(P, wx, 1)}]`);
      return [turn, ...lines.map((line) => h("code", {}, line))];
    }
    function sumLines() {
      const name = h("span", {}, "∂E/∂", ...symbol(forX ? "x" : "f", row, col), " =");
      if (!terms.length) return [name, h("b", { class: "cb-result" }, "0")];
      const xSymbol = (t) => (isPadding(t.xr, t.xc) ? ["0"] : symbol("x", t.xr - P, t.xc - P));
      const other = (t) => (forX ? f[t.fr][t.fc] : padded[t.xr][t.xc]); // what dy is multiplied by
      const whole = (...parts) => h("span", { class: "cb-nowrap" }, ...parts);
      const letters = terms.map((t) =>
        whole(...symbol("dy", t.r, t.c), "·", ...(forX ? symbol("f", t.fr, t.fc) : xSymbol(t))));
      const numbers = terms.map((t) => whole(`${factor(dy[t.r][t.c])}·${factor(other(t))}`));
      const total = terms.reduce((s, t) => s + dy[t.r][t.c] * other(t), 0);
      const written = letters.length <= MOST_SYMBOLS ? joined(letters) : ["the sum of ", h("i", {}, "dy"), "[oh, ow]·",
        h("i", {}, "x"), `[oh·S + ${row}, ow·S + ${col}] over all ${terms.length} outputs`];
      return [name, h("span", {}, written), h("span", {}, "="), h("span", {}, joined(numbers)),
        h("span", {}, "="), h("b", { class: "cb-result" }, fmt(total))];
    }
    function remarks() {
      const outputs = oh * ow === 1 ? "the only output" : `${terms.length} of the ${oh * ow} outputs`;
      const ringed = P ? " What falls on the padding is dropped: the zeros there are no input that could change." : "";
      if (!forX && one) return `This weight is used once for each of the ${oh * ow} outputs, each time with another x.`;
      if (!forX) return "Each element of dF is dY times the slice of X that this weight met, added up. "
        + "The numbers in F play no part.";
      if (!one) return `Each output lays dy·F down on its window, and what overlaps is added. The numbers in X play no part.${ringed}`;
      if (!terms.length) return "No window reads this element: changing it does not change E.";
      const weights = terms.length > 1 ? "weights" : "weight";
      return `This element feeds ${outputs}, through the ${weights} lit up in F.${ringed}`;
    }
    function biasLine() {
      const numbers = dy.flat();
      const total = numbers.reduce((s, v) => s + v, 0);
      const written = numbers.length > MOST_SYMBOLS ? "" : ` = ${numbers.map(factor).join(" + ")}`;
      return [h("div", {}, "The bias is added to every output: ", h("i", {}, "db"), ` = sum of dY${written} = `,
        h("b", { class: "cb-db", "data-value": total }, fmt(total)))];
    }
    function legends() {
      const missed = x.flatMap((line, r) => line.filter((_, c) => !seen[r + P][c + P])).length;
      return [
        one ? "small numbers: the factor that a lit cell is multiplied by" : "",
        P ? `dashed: padding${one ? "" : "; the slices count from its corner"}` : "",
        missed ? `hatched: ${missed} cell${missed > 1 ? "s" : ""} of X that no window reads` : "",
      ].filter(Boolean).join(" · ");
    }
  }

  return ui.start({
    watch: ui.tools.parentElement, resized: () => blocksBox.settle(blocks.lit()), stop: steps.stop,
  });
}

/** The largest absolute value in a matrix. */
function largest(values) {
  return Math.max(1e-12, ...values.flat().map(Math.abs));
}

export default { render };
