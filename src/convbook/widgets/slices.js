// SlicesExplorer: a filter with three axes slides through a volume or a video; the slices it reads,
// and what it gives.
import { build, clamp } from "./kit/arithmetic.js";
import { examples, player, slider, stepper } from "./kit/controls.js";
import { after, h, live } from "./kit/elements.js";
import { times } from "./kit/formula.js";
import { frame } from "./kit/frame.js";
import { matrix } from "./kit/matrix.js";
import { unpack } from "./kit/packed.js";
import { cover, picture } from "./kit/pictures.js";
import { arrow, cellAt } from "./kit/pointing.js";
import { factor, fmt } from "./kit/text.js";
import "./kit/ramp.css";
import "./slices.css";

const KEYS = ["f", "step", "row", "col"];
const LONGEST_FILTER = 5;
const AXES = ["FT", "FH", "FW"];

const plane = (value) => build(3, 3, () => value);
const WORDS = {
  depth: { title: "A volume, slice by slice", one: "slice", along: "depth" },
  time: { title: "A video, frame by frame", one: "frame", along: "time" },
};
const FILTERS = {
  depth: {
    flat: ["3 × 3 cells of one slice: their sum", { f: [plane(1)] }],
    ball: ["what begins and ends along the depth", { f: [plane(-1), plane(2), plane(-1)] }],
    change: ["the change from one slice to the next", { f: [[[-1]], [[1]]] }],
    cube: ["3 × 3 × 3 cells: their sum", { f: [plane(1), plane(1), plane(1)] }],
  },
  time: {
    right: ["moves to the right", { f: [[[1, -1]], [[-1, 1]]] }],
    left: ["moves to the left", { f: [[[-1, 1]], [[1, -1]]] }],
    down: ["moves down", { f: [[[1], [-1]], [[-1], [1]]] }],
    change: ["the change from one frame to the next", { f: [[[-1]], [[1]]] }],
    picture: ["one frame only: a vertical edge", { f: [[[-1, 1]]] }],
  },
};

function render({ model, el }) {
  const words = WORDS[model.get("axis")];
  const x = unpack(model.get("data"));
  const shape = x.shape;
  const ui = frame({ model, el, title: words.title, keys: KEYS, draw, walks: ["step", "row", "col"] });
  const get = (key) => model.get(key);

  const preset = examples({ label: "Filter F", options: FILTERS[model.get("axis")], get, set: ui.begin });
  const place = slider({ label: words.along, min: 0, max: 1, oninput: (step) => ui.set({ step }) });
  place.el.classList.add("cb-wide");
  const steppers = AXES.map((label, axis) => stepper({
    label, min: 1, max: LONGEST_FILTER,
    onchange: (size) => {
      const sizes = filterShape();
      sizes[axis] = size;
      ui.set({ f: Array.from({ length: sizes[0] }, (_, k) => build(sizes[1], sizes[2], (r, c) => get("f")[k]?.[r]?.[c] ?? 0)) });
    },
  }));
  const steps = player({
    count: () => Math.max(0, outputShape()[0]), position: () => picked()[0], go: (step) => ui.set({ step }), delay: 450,
  });
  ui.tools.append(...steps.els);

  const inputs = Array.from({ length: LONGEST_FILTER }, (_, k) => {
    const view = canvas((r, c) => {
      const [, fh, fw] = filterShape();
      choose(r - Math.floor(fh / 2), c - Math.floor(fw / 2));
    });
    const F = matrix({ symbol: `F[${k}]`, label: `Filter F, ${words.one} ${k}`, onedit: (r, c, value) => {
      const next = structuredClone(get("f"));
      next[k][r][c] = value;
      ui.set({ f: next });
    } });
    const name = h("figcaption");
    const part = h("span", { class: "cb-muted" });
    return { view, F, name, part, el: h("div", { class: "cb-slice" }, h("figure", {}, name, view.el), F.el, part) };
  });
  const result = canvas(choose, true);
  const resultName = h("figcaption");
  const read = h("div", { class: "cb-slices" }, inputs.map((input) => input.el));
  const output = h("div", { class: "cb-slice cb-slice-out" }, h("figure", {}, resultName, result.el));
  const ramps = ["X", "Y"].map((name) => {
    const [low, high] = [h("span"), h("span")];
    const above = name === "X" && x.low === 0; // nothing below zero: half the colours
    const bar = h("span", { class: above ? "cb-ramp above" : "cb-ramp" });
    return { above, el: h("span", { class: "cb-ramprow" }, h("b", {}, name), low, bar, high), low, high };
  });
  const stage = h("div", { class: "cb-slicestage" }, read, after("=", output));
  const shapes = h("div", { class: "cb-shapes" });
  const message = h("div", { class: "cb-message", role: "status" });
  const sum = live("cb-sum");
  const legend = h("div", { class: "cb-legend" }, "Choose a cell of the output: with the mouse, a finger or the arrow keys.");
  ui.add(h("div", { class: "cb-controls" }, preset.el, place.el), h("div", { class: "cb-sizes" }, steppers.map((s) => s.el)),
    shapes, stage, h("div", { class: "cb-slice-ramps" }, ramps.map((r) => r.el)), message, sum, legend);
  const hold = ui.hold(stage, sum);

  /**
   * A picture with a frame on the part that is lit; `onpick(row, col)` on a click, or with the
   * arrow keys.
   */
  function canvas(onpick, walks = false) {
    const image = picture({ label: " " });
    const mark = h("span", { class: "cb-part next" });
    image.el.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") at(event); });
    image.el.addEventListener("pointerdown", at);
    function at(event) { onpick(...cellAt(event, image.el, image.el.height, image.el.width)); }
    if (walks) {
      image.el.tabIndex = 0;
      image.el.dataset.lmSuppressShortcuts = "true";
      image.el.addEventListener("keydown", (event) => {
        const move = arrow(event);
        if (!move) return;
        const [, r, c] = picked();
        onpick(r + move[0], c + move[1]);
      });
    }
    return {
      el: h("div", { class: "cb-view" }, image.el, mark),
      show(values, rows, cols, scale, label, lit) {
        image.show(values, rows, cols, scale);
        image.el.values = values; // the numbers behind the picture
        image.el.setAttribute("aria-label", label);
        cover(mark, lit, rows, cols);
      },
    };
  }
  function choose(r, c) {
    const [, oh, ow] = outputShape();
    ui.set({ row: clamp(r, 0, Math.max(0, oh - 1)), col: clamp(c, 0, Math.max(0, ow - 1)) });
  }
  function filterShape() { const f = get("f"); return [f.length, f[0].length, f[0][0].length]; }
  function outputShape() { return filterShape().map((size, axis) => shape[axis] - size + 1); }
  function picked() {
    const sizes = outputShape();
    return ["step", "row", "col"].map((key, axis) => clamp(get(key), 0, Math.max(0, sizes[axis] - 1)));
  }
  /** What slice k of the filter adds to output cell (row, col), read from slice t of the input. */
  function partial(part, weights, row, col) {
    let value = 0;
    weights.forEach((line, fr) => line.forEach((weight, fc) => { value += weight * part[(row + fr) * shape[2] + col + fc]; }));
    return value;
  }
  function slice(f, t, oh, ow) {
    const y = new Float64Array(oh * ow);
    f.forEach((weights, k) => {
      const part = x.part(t + k);
      for (let r = 0; r < oh; r++) for (let c = 0; c < ow; c++) y[r * ow + c] += partial(part, weights, r, c);
    });
    return y;
  }
  // One scale for all slices of an output, so that they can be compared: the largest number that
  // there is in any of them.
  let scaleOf = "";
  let scale = 1;
  function largest(f, [ot, oh, ow]) {
    const key = JSON.stringify(f);
    if (key !== scaleOf) {
      [scaleOf, scale] = [key, 1e-9];
      for (let t = 0; t < ot; t++) for (const v of slice(f, t, oh, ow)) scale = Math.max(scale, Math.abs(v));
    }
    return scale;
  }

  function draw() {
    const f = get("f");
    const [ft, fh, fw] = filterShape();
    const sizes = outputShape();
    const [ot, oh, ow] = sizes;
    const fits = Math.min(...sizes) > 0;
    const [step, row, col] = picked();
    preset.show();
    place.show(step, { max: Math.max(0, ot - 1) });
    steppers.forEach((s, axis) => s.show(filterShape()[axis]));
    shapes.textContent = `X: ${times(...shape)} · F: ${times(ft, fh, fw)}${fits ? ` · Y: ${times(...sizes)}` : ""}`;
    message.textContent = fits ? "" : `The filter of ${times(ft, fh, fw)} does not fit into the input of ${times(...shape)}. Take a smaller one.`;
    stage.classList.toggle("cb-misfits", !fits);
    const lit = [row, col, fh, fw];
    const parts = [];
    inputs.forEach(({ view, F, name, part, el: box }, k) => {
      box.hidden = k >= ft;
      if (k >= ft) return;
      F.show(f[k]);
      const t = Math.min(step + k, shape[0] - 1);
      name.replaceChildren(h("b", {}, `X[${t}]`));
      view.show(x.part(t), shape[1], shape[2], x.largest, `Input, ${words.one} ${t}`, fits ? lit : [0, 0, 0, 0]);
      if (!fits) { part.textContent = ""; return; }
      parts.push(partial(x.part(t), f[k], row, col));
      part.textContent = `adds ${fmt(parts[k])}`;
    });
    read.style.setProperty("--cb-slices", ft);
    output.parentElement.style.visibility = fits ? "" : "hidden";
    if (!fits) { sum.replaceChildren(); return; }
    const y = slice(f, step, oh, ow);
    const most = largest(f, sizes);
    result.show(y, oh, ow, most, `Output, ${words.one} ${step}; row ${row}, column ${col} is ${fmt(y[row * ow + col])}`, [row, col, 1, 1]);
    resultName.replaceChildren(h("b", {}, `Y[${step}]`));
    [[ramps[0], x.largest], [ramps[1], most]].forEach(([ramp, v]) => { ramp.low.textContent = ramp.above ? "0" : fmt(-v); ramp.high.textContent = fmt(v); });
    const value = y[row * ow + col];
    sum.replaceChildren(
      h("span", {}, h("i", {}, "y"), h("sub", {}, `${step},${row},${col}`), " ="),
      h("span", {}, parts.map(factor).join(" + "), ft > 1 ? ` (one sum from each ${words.one})` : ""),
      h("span", {}, "="), h("b", { class: "cb-result", "data-value": value }, fmt(value)));
    hold();
  }

  return ui.start({ stop: steps.stop });
}

export default { render };
