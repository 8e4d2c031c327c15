// ConvolutionExplorer: a filter slides over a matrix; every number can be changed and every sum is
// written out.
import {
  build, clamp, conv2d, extent, outputSize, pad2d, reached, shapeOf, windowCells,
} from "./kit/arithmetic.js";
import { examples, player, slider, stepper } from "./kit/controls.js";
import { after, h, live } from "./kit/elements.js";
import { sizeFormula } from "./kit/formula.js";
import { frame } from "./kit/frame.js";
import { matrix } from "./kit/matrix.js";
import { factor, fmt } from "./kit/text.js";

const KEYS = ["x", "f", "bias", "stride", "padding", "dilation", "row", "col"];
const LIMITS = { x: 8, f: 5 };

const count = build(4, 4, (r, c) => 4 * r + c + 1);
const courseFilter = [[1, 1, 1], [2, 0, 1], [-1, -1, 0]];
const ringed = pad2d(count, 1).map((row) => [...row, 1]).concat([Array(7).fill(1)]);
// A bright square on a dark ground: two vertical and two horizontal edges.
const picture = build(8, 8, (r, c) => (r >= 2 && r <= 5 && c >= 2 && c <= 5 ? 9 : 1));
const third = [[1, 1, 1], [1, 1, 1], [1, 1, 1]];

const PLAIN = { bias: 0, stride: 1, padding: 0, dilation: 1 };
const PRESETS = {
  course: ["Course: X ⊛ F", { ...PLAIN, x: count, f: courseFilter }],
  padding: ["Course: one ring of zeros", { ...PLAIN, x: count, f: courseFilter, padding: 1 }],
  strides: ["Course: 7 × 7, stride 2", { ...PLAIN, x: ringed, f: courseFilter, stride: 2 }],
  floor: ["Zero ring, stride 2: the floor at work",
    { ...PLAIN, x: count, f: courseFilter, padding: 1, stride: 2 }],
  vertical: ["Picture: vertical edges (Sobel)",
    { ...PLAIN, x: picture, f: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]] }],
  horizontal: ["Picture: horizontal edges (Sobel)",
    { ...PLAIN, x: picture, f: [[-1, -2, -1], [0, 0, 0], [1, 2, 1]] }],
  outline: ["Picture: all edges (Laplace)",
    { ...PLAIN, x: picture, f: [[0, -1, 0], [-1, 4, -1], [0, -1, 0]] }],
  blur: ["Picture: blur (sum of 3 × 3)", { ...PLAIN, x: picture, f: third, padding: 1 }],
  sharpen: ["Picture: sharpen", { ...PLAIN, x: picture, f: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]] }],
};

function render({ model, el }) {
  const ui = frame({ model, el, title: "Convolution: slide the filter", keys: KEYS, draw, walks: ["row", "col"] });
  const get = (key) => model.get(key);

  const preset = examples({ options: PRESETS, start: { row: 0, col: 0 }, get, set: ui.begin });
  const stride = slider({ label: "stride S", min: 1, max: 4, oninput: (v) => ui.set({ stride: v }) });
  const padding = slider({ label: "padding P", min: 0, max: 3, oninput: (v) => ui.set({ padding: v }) });
  const dilation = slider({ label: "dilation D", min: 1, max: 3, oninput: (v) => ui.set({ dilation: v }) });
  const bias = slider({ label: "bias b", min: -10, max: 10, oninput: (v) => ui.set({ bias: v }) });

  const edit = (key) => (r, c, value) => {
    const shift = key === "x" ? get("padding") : 0;
    const next = structuredClone(get(key));
    next[r - shift][c - shift] = value;
    ui.set({ [key]: next });
  };
  const resize = (key, axis) => (size) => {
    const old = get(key);
    const shape = shapeOf(old);
    shape[axis] = clamp(size, 1, LIMITS[key]);
    ui.set({ [key]: build(...shape, (r, c) => old[r]?.[c] ?? 0) });
  };
  const X = matrix({ symbol: "X", label: "Input X with its padding", onedit: edit("x") });
  const F = matrix({ symbol: "F", label: "Filter F", onedit: edit("f") });
  const Y = matrix({ symbol: "Y", label: "Output Y", onpick: (row, col) => ui.set({ row, col }) });
  const steppers = {};
  for (const [key, m, names] of [["x", X, ["H", "W"]], ["f", F, ["FH", "FW"]]]) {
    steppers[key] = names.map((name, axis) => stepper({ label: name, min: 1, max: LIMITS[key], onchange: resize(key, axis) }));
    m.el.append(h("div", { class: "cb-sizes" }, steppers[key].map((s) => s.el)));
  }

  const steps = player({
    count: () => { const [oh, ow] = outputShape(); return Math.max(0, oh) * Math.max(0, ow); },
    position: () => { const [, ow] = outputShape(); const p = picked(); return p[0] * ow + p[1]; },
    go: (k) => { const [, ow] = outputShape(); ui.set({ row: Math.floor(k / ow), col: k % ow }); },
  });
  ui.tools.append(...steps.els);
  const stage = h("div", { class: "cb-stage" }, X.el, after("⊛", F.el), after("=", Y.el));
  const message = h("div", { class: "cb-message", role: "status" });
  const sum = live("cb-sum");
  const formula = h("div", { class: "cb-formula" });
  const legend = h("div", { class: "cb-legend" });
  ui.add(h("div", { class: "cb-controls" }, preset.el, stride.el, padding.el, dilation.el, bias.el), stage, message, sum, formula, legend);
  const hold = ui.hold(stage, sum, formula);

  function outputShape() {
    const [h0, w0] = shapeOf(get("x"));
    const [fh, fw] = shapeOf(get("f"));
    return [outputSize(h0, fh, get("stride"), get("padding"), get("dilation")),
      outputSize(w0, fw, get("stride"), get("padding"), get("dilation"))];
  }
  function picked() {
    const [oh, ow] = outputShape();
    return [clamp(get("row"), 0, Math.max(0, oh - 1)), clamp(get("col"), 0, Math.max(0, ow - 1))];
  }

  function draw() {
    const [x, f, b, S, P, D] = ["x", "f", "bias", "stride", "padding", "dilation"].map(get);
    const [hx, wx] = shapeOf(x);
    const [fh, fw] = shapeOf(f);
    const y = conv2d(x, f, { bias: b, stride: S, padding: P, dilation: D });
    const [row, col] = picked();
    preset.show();
    stride.show(S, { max: Math.max(4, S) });
    padding.show(P, { max: Math.max(3, P) });
    dilation.show(D, { max: Math.max(3, D) });
    bias.show(b, { min: Math.min(-10, b), max: Math.max(10, b), step: Number.isInteger(b) ? 1 : 0.01 });
    steppers.x.forEach((s, axis) => s.show([hx, wx][axis]));
    steppers.f.forEach((s, axis) => s.show([fh, fw][axis]));

    const padded = pad2d(x, P);
    const seen = reached(hx + 2 * P, wx + 2 * P, fh, fw, S, D);
    const cells = y ? windowCells(row, col, fh, fw, S, D) : [];
    const weight = new Map(cells.map((k) => [`${k.r},${k.c}`, f[k.fr][k.fc]]));
    const isPadding = (r, c) => r < P || c < P || r >= P + hx || c >= P + wx;
    X.show(padded, {
      mark: (r, c) => [isPadding(r, c) && "padding", !seen[r][c] && "unreached", weight.has(`${r},${c}`) && "window"]
        .filter(Boolean).join(" "),
      note: (r, c) => (weight.has(`${r},${c}`) ? `·${fmt(weight.get(`${r},${c}`))}` : ""),
    });
    F.show(f);
    Y.el.parentElement.style.visibility = y ? "" : "hidden";
    if (y) Y.show(y, { mark: (r, c) => (r === row && c === col ? "picked" : "") });

    message.textContent = y ? "" : `The filter needs ${extent(fh, D)} × ${extent(fw, D)} cells and does not fit into `
      + `the padded input of ${hx + 2 * P} × ${wx + 2 * P}. Add padding, or take a smaller filter or dilation.`;
    sum.replaceChildren(...(y ? sumLines() : []));
    const axes = [["OH", "H", "FH", hx, fh], ["OW", "W", "FW", wx, fw]];
    formula.replaceChildren(...axes.map(([o, n, k, size, kernel]) =>
      h("div", {}, sizeFormula(o, n, k, { size, kernel, stride: S, padding: P, dilation: D }))));
    const missed = seen.flat().filter((s) => !s).length;
    legend.textContent = [
      P ? "dashed: padding" : "",
      y && missed ? `hatched: ${missed} cell${missed > 1 ? "s" : ""} that no window reads` : "",
    ].filter(Boolean).join(" · ");
    hold();

    function sumLines() {
      const lines = f.map((weights, fr) => cells.filter((k) => k.fr === fr)
        .map((k) => `${fmt(padded[k.r][k.c])}·${factor(weights[k.fc])}`).join(" + "));
      const name = [h("i", {}, "y"), h("sub", {}, `${row},${col}`)];
      const parts = lines.flatMap((line, i) => [h("span", {}, i ? "+" : [...name, " ="]), h("span", {}, line)]);
      if (b) parts.push(h("span", {}, "+"), h("span", {}, `${factor(b)} (the bias)`));
      return [...parts, h("span", {}, "="), h("b", { class: "cb-result" }, fmt(y[row][col]))];
    }
  }

  return ui.start({ stop: steps.stop });
}

export default { render };
