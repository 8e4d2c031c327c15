// TransposeExplorer: one transposed convolution in three views, and each of them in steps.
import { build, clamp, dilated, shapeOf, transposedSize, windowCells } from "./kit/arithmetic.js";
import { buttons, examples, player, slider, stepper } from "./kit/controls.js";
import { after, h, live } from "./kit/elements.js";
import { joined, slice } from "./kit/formula.js";
import { frame } from "./kit/frame.js";
import { matrix } from "./kit/matrix.js";
import { scroller } from "./kit/scroller.js";
import { factor, fmt } from "./kit/text.js";
import "./transpose.css";

const KEYS = ["x", "f", "stride", "padding", "output_padding", "view", "row", "col", "step"];
const LARGEST = 4;

const count = (n) => build(n, n, (r, c) => n * r + c + 1);
const ones = (n) => build(n, n, () => 1);
const PLAIN = { x: count(2), f: [[1, 1, 1], [2, 0, 1], [-1, -1, 0]], stride: 1, padding: 0, output_padding: 0 };
const PRESETS = {
  course: ["Stride 1: 2 × 2 becomes 4 × 4", PLAIN],
  strided: ["Stride 2: 2 × 2 becomes 5 × 5", { ...PLAIN, stride: 2 }],
  padded: ["Stride 2, padding 1: 2 × 2 becomes 3 × 3", { ...PLAIN, stride: 2, padding: 1 }],
  even: ["The same, output padding 1: 4 × 4", { ...PLAIN, stride: 2, padding: 1, output_padding: 1 }],
  checkerboard: ["Filter 3, stride 2: a checkerboard", { ...PLAIN, x: ones(3), f: ones(3), stride: 2 }],
  smooth: ["Filter 4, stride 2: none inside", { ...PLAIN, x: ones(3), f: ones(4), stride: 2 }],
  beside: ["Filter 2, stride 2: side by side", { ...PLAIN, f: ones(2), stride: 2 }],
  single: ["One pixel counts: the filter, laid down there", { ...PLAIN, x: [[0, 0, 0], [0, 1, 0], [0, 0, 0]], stride: 2 }],
};
const VIEWS = {
  dilate: ["dilate and slide", "Pull the input apart, lay zeros around it, slide the turned filter"],
  lay: ["lay down and add", "Lay the filter down at each pixel, times the pixel, and add"],
  matrix: ["transposed matrix", "Multiply by the transposed matrix of a convolution"],
};

function render({ model, el }) {
  const ui = frame({ model, el, title: "Transposed convolution: three views of the same numbers", keys: KEYS, draw, walks: ["row", "col", "step"] });
  const get = (key) => model.get(key);

  const preset = examples({ options: PRESETS, start: { row: 0, col: 0, step: 0 }, get, set: ui.begin });
  const stride = slider({
    label: "stride S", min: 1, max: 3,
    oninput: (v) => ui.set({ stride: v, output_padding: Math.min(get("output_padding"), v - 1) }),
  });
  const padding = slider({ label: "padding P", min: 0, max: 3, oninput: (v) => ui.set({ padding: v }) });
  const outputPadding = slider({ label: "output padding J", min: 0, max: 2, oninput: (v) => ui.set({ output_padding: v }) });
  const view = buttons({ label: "How it is computed", options: VIEWS, onchange: (v) => ui.set({ view: v }) });

  const edit = (key) => (r, c, value) => {
    const next = structuredClone(get(key));
    next[r][c] = value;
    ui.set({ [key]: next });
  };
  const resize = (key, axis) => (size) => {
    const old = get(key);
    const shape = shapeOf(old);
    shape[axis] = clamp(size, 1, LARGEST);
    ui.set({ [key]: build(...shape, (r, c) => old[r]?.[c] ?? 0) });
  };
  const X = matrix({
    symbol: "X", label: "Input X", onedit: edit("x"),
    onpick: (r, c) => ui.set({ step: r * get("x")[0].length + c }),
  });
  const F = matrix({ symbol: "F", label: "Filter F", onedit: edit("f") });
  const steppers = {};
  for (const [key, m, names] of [["x", X, ["H", "W"]], ["f", F, ["FH", "FW"]]]) {
    steppers[key] = names.map((name, axis) => stepper({ label: name, min: 1, max: LARGEST, onchange: resize(key, axis) }));
    m.el.append(h("div", { class: "cb-sizes" }, steppers[key].map((s) => s.el)));
  }
  const pick = (row, col) => ui.set({ row, col });
  const Y = matrix({ symbol: "Y", label: "Output Y", onpick: (row, col) => { if (get("view") !== "lay") pick(row, col); } });

  // One part of the stage for each view.
  const spread = matrix({ symbol: "X, pulled apart", label: "Input X with zeros between and around" });
  const turned = matrix({ symbol: "F, turned by 180°", label: "Filter F turned" });
  const canvas = matrix({ symbol: "laid down so far", label: "Filters laid down and added" });
  const transposed = matrix({ symbol: "Φᵀ", label: "Transposed matrix", onpick: (p) => pick(Math.floor(p / outputShape()[1]), p % outputShape()[1]) });
  const column = matrix({ symbol: "X", label: "Input X as one column", onpick: (q) => ui.set({ step: q }) });
  const flat = matrix({ symbol: "Y", label: "Output Y as one column" });
  const product = scroller("The matrix product",
    h("div", { class: "cb-matrixproduct" }, transposed.el, after("·", column.el), after("=", flat.el)));
  const parts = {
    dilate: [spread.el, after("⊛", turned.el)],
    lay: [canvas.el],
    matrix: [product.el],
  };
  const signs = { dilate: "=", lay: "→", matrix: "→" };
  const result = after("=", Y.el);
  const stage = h("div", { class: "cb-stage" }, Object.values(parts), result);

  const overOutputs = () => get("view") !== "lay";
  const steps = player({
    count: () => (possible() ? (overOutputs() ? outputShape() : shapeOf(get("x"))).reduce((a, b) => a * b) : 0),
    position: () => { const [row, col] = picked(); return overOutputs() ? row * outputShape()[1] + col : stepNow(); },
    go: (k) => (overOutputs() ? pick(Math.floor(k / outputShape()[1]), k % outputShape()[1]) : ui.set({ step: k })),
  });
  ui.tools.append(...steps.els);
  const message = h("div", { class: "cb-message", role: "status" });
  const line = live("cb-code");
  const sum = live("cb-sum");
  const formula = h("div", { class: "cb-formula" });
  const legend = h("div", { class: "cb-legend" });
  ui.add(h("div", { class: "cb-transpose" },
    h("div", { class: "cb-controls" }, preset.el, stride.el, padding.el, outputPadding.el, view.el),
    h("div", { class: "cb-stage cb-given" }, X.el, F.el), message, stage, line, sum, formula, legend));
  const hold = ui.hold(stage, line, sum, formula);

  const settings = () => ({ stride: get("stride"), padding: get("padding"), outputPadding: Math.min(get("output_padding"), get("stride") - 1) });
  function outputShape() {
    const { stride: S, padding: P, outputPadding: A } = settings();
    return shapeOf(get("x")).map((n, axis) => transposedSize(n, shapeOf(get("f"))[axis], S, P, A));
  }
  const possible = () => outputShape().every((n) => n > 0);
  const picked = () => outputShape().map((n, axis) => clamp(get(["row", "col"][axis]), 0, Math.max(0, n - 1)));
  const stepNow = () => clamp(get("step"), 0, get("x").flat().length - 1);

  function draw() {
    const [x, f] = [get("x"), get("f")];
    const { stride: S, padding: P, outputPadding: A } = settings();
    const [[hx, wx], [fh, fw], [oh, ow]] = [shapeOf(x), shapeOf(f), outputShape()];
    const [[row, col], now] = [picked(), stepNow()];
    const kind = get("view");
    const good = possible();
    preset.show();
    view.show(kind);
    stride.show(S);
    padding.show(P);
    outputPadding.show(A, { max: S - 1 });
    outputPadding.input.disabled = S === 1;
    steppers.x.forEach((s, axis) => s.show([hx, wx][axis]));
    steppers.f.forEach((s, axis) => s.show([fh, fw][axis]));

    const current = [Math.floor(now / wx), now % wx];
    const isCurrent = (r, c) => r === current[0] && c === current[1];
    for (const [name, elements] of Object.entries(parts)) for (const e of elements) e.hidden = name !== kind || !good;
    result.hidden = !good;
    result.querySelector(".cb-operator").textContent = signs[kind];
    message.textContent = good ? "" : `The filters laid down cover ${(hx - 1) * S + fh} × ${(wx - 1) * S + fw} cells. `
      + `A padding of ${P} cuts off ${2 * P} rows and columns, and nothing is left. Take a smaller one.`;
    // The pixels that have a part in the picked output, and the filter cell that each is multiplied
    // by.
    const shares = x.flatMap((values, i) => values.map((value, j) => ({ value, i, j, fr: row + P - i * S, fc: col + P - j * S })))
      .filter(({ fr, fc }) => fr >= 0 && fr < fh && fc >= 0 && fc < fw);
    const [lines, notes, codes] = good ? { dilate: drawDilated, lay: drawLaid, matrix: drawMatrix }[kind]() : [[], [], []];
    if (kind !== "lay" || !good) X.show(x, { mark: (r, c) => (kind === "matrix" && isCurrent(r, c) ? "column" : shares.some((s) => s.i === r && s.j === c) && good ? "window" : "") });
    if (kind !== "lay" || !good) F.show(f, { mark: (r, c) => (good && shares.some((s) => s.fr === r && s.fc === c) ? "window" : "") });
    line.replaceChildren(...codes.map((code) => h("code", {}, code)));
    sum.replaceChildren(...lines);
    const axes = [["OH", "H", "FH", hx, fh, oh], ["OW", "W", "FW", wx, fw, ow]];
    formula.replaceChildren(...axes.map(([o, n, k, size, kernel, total]) => h("div", {},
      `${o} = (${n} − 1)·S − 2P + ${k} + J = (${size} − 1)·${S} − 2·${P} + ${kernel} + ${A} = ${fmt(total)}`)));
    legend.textContent = notes.filter(Boolean).join(" · ");
    hold();
    product.settle(transposed.el.querySelector("td.window"));

    function sumOf(terms, value) {
      const written = terms.length ? joined(terms.map((t) => `${factor(t.value)}·${factor(f[t.fr][t.fc])}`)) : ["no filter reaches here"];
      return [h("span", {}, h("i", {}, "y"), h("sub", {}, `${row},${col}`), " ="),
        h("span", {}, ...written, " = ", h("b", { class: "cb-result" }, fmt(value)))];
    }

    /** The input with zeros, and the turned filter that slides over it with stride 1. */
    function drawDilated() {
      const [above, beside] = [fh - 1 - P, fw - 1 - P];
      const wide = dilated(x, S, [above, beside], A);
      const inWindow = new Map(windowCells(row, col, fh, fw).map((k) => [`${k.r},${k.c}`, f[fh - 1 - k.fr][fw - 1 - k.fc]]));
      spread.show(wide.map((r) => r.map((cell) => cell.value)), {
        mark: (r, c) => [wide[r][c].isPixel ? "" : wide[r][c].between ? "gap" : "padding", inWindow.has(`${r},${c}`) && "window"].filter(Boolean).join(" "),
        note: (r, c) => (inWindow.has(`${r},${c}`) ? `·${fmt(inWindow.get(`${r},${c}`))}` : ""),
      });
      turned.show(build(fh, fw, (r, c) => f[fh - 1 - r][fw - 1 - c]));
      const y = build(oh, ow, (r, c) => windowCells(r, c, fh, fw)
        .reduce((total, k) => total + wide[k.r][k.c].value * f[fh - 1 - k.fr][fw - 1 - k.fc], 0));
      Y.show(y, { mark: (r, c) => (r === row && c === col ? "picked" : "") });
      const rings = [above, beside].map((n) => (n < 0 ? `${-n} cut off` : n));
      return [sumOf(shares, y[row][col]), [
        S > 1 ? `dotted: ${S - 1} zero${S > 2 ? "s" : ""} between neighbouring pixels` : "",
        above > 0 || beside > 0 || A ? "dashed: zeros around" : "",
        "products with zeros are left out of the sum",
      ], [`around: FH − 1 − P = ${rings[0]}${rings[1] === rings[0] ? "" : `, FW − 1 − P = ${rings[1]}`}${A ? `, and ${A} more behind` : ""}; the filter moves by 1`]];
    }

    /** The filters that have been laid down so far, the last one lit. */
    function drawLaid() {
      const [rows, cols] = [[hx, fh], [wx, fw]].map(([n, k]) => Math.max((n - 1) * S + k, (n - 1) * S + k - P + A));
      const total = build(rows, cols, () => null);
      x.flat().slice(0, now + 1).forEach((value, k) => {
        for (const cell of windowCells(Math.floor(k / wx), k % wx, fh, fw, S)) {
          total[cell.r][cell.c] = (total[cell.r][cell.c] ?? 0) + value * f[cell.fr][cell.fc];
        }
      });
      if (now === hx * wx - 1) total.forEach((values, r) => values.forEach((v, c) => { total[r][c] = v ?? 0; }));
      const value = x[current[0]][current[1]];
      const lit = new Map(windowCells(...current, fh, fw, S).map((k) => [`${k.r},${k.c}`, value * f[k.fr][k.fc]]));
      const kept = (r, c) => r >= P && r < P + oh && c >= P && c < P + ow;
      canvas.show(total, {
        mark: (r, c) => [!kept(r, c) && "padding", lit.has(`${r},${c}`) && "window"].filter(Boolean).join(" "),
        note: (r, c) => (lit.has(`${r},${c}`) ? `${lit.get(`${r},${c}`) < 0 ? "" : "+"}${fmt(lit.get(`${r},${c}`))}` : ""),
      });
      const y = build(oh, ow, (r, c) => total[r + P][c + P]);
      Y.show(y);
      X.show(x, { mark: (r, c) => (isCurrent(r, c) ? "window" : "") });
      F.show(f);
      const place = `${slice(current[0] * S, fh, 1)}, ${slice(current[1] * S, fw, 1)}`;
      return [
        [h("span", {}, `filter ${now + 1} of ${hx * wx}:`), h("span", {}, "small in the corner: what it adds")],
        [P ? `dashed: cut off in the end, P = ${P} on each side${A ? `, but ${A} less below and on the right` : ""}` : "", "dotted: nothing laid down yet"],
        [`laid[${place}] += X[${current.join(", ")}] * F`],
      ];
    }

    /** The matrix: a row for each output, a column for each pixel. */
    function drawMatrix() {
      const cells = build(oh * ow, hx * wx, (p, q) => {
        const [fr, fc] = [Math.floor(p / ow) + P - Math.floor(q / wx) * S, (p % ow) + P - (q % wx) * S];
        return f[fr]?.[fc] ?? null;
      });
      const at = row * ow + col;
      transposed.show(cells.map((r) => r.map((v) => v ?? 0)), {
        mark: (p, q) => [cells[p][q] === null && "gap", p === at && "window", q === now && "column"].filter(Boolean).join(" "),
        shape: `${oh * ow} × ${hx * wx} = OH·OW × H·W`,
      });
      column.show(x.flat().map((v) => [v]), { mark: (q) => (q === now ? "column" : "") });
      const y = cells.map((r) => r.reduce((total, v, q) => total + (v ?? 0) * x.flat()[q], 0));
      flat.show(y.map((v) => [v]), { mark: (p) => (p === at ? "picked" : "") });
      Y.show(build(oh, ow, (r, c) => y[r * ow + c]), { mark: (r, c) => (r === row && c === col ? "picked" : "") });
      return [sumOf(shares, y[at]), ["dotted: zeros, where the filter does not reach", "a row (blue) is a window of the first view", "a column (orange) is a filter laid down in the second"],
        [`Y = (Phi.T @ X.reshape(${hx * wx})).reshape(${oh}, ${ow})`]];
    }
  }

  return ui.start({ stop: steps.stop });
}

export default { render };
