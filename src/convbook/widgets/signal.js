// SignalExplorer: a filter slides along a row of numbers; its window is lit and its sum is written
// out.
import { clamp, conv2d, outputSize } from "./kit/arithmetic.js";
import { examples, player, slider, stepper } from "./kit/controls.js";
import { h, live, svg } from "./kit/elements.js";
import { sizeFormula } from "./kit/formula.js";
import { frame } from "./kit/frame.js";
import { matrix } from "./kit/matrix.js";
import { arrow, onDrag } from "./kit/pointing.js";
import { factor, fmt } from "./kit/text.js";
import "./kit/plot.css";
import "./signal.css";

const KEYS = ["x", "f", "bias", "stride", "padding", "step"];
const MOST_TAPS = 9;

const row = (n, value) => Array.from({ length: n }, (_, i) => Number(value(i).toFixed(2)));
// As in Python: place from the peak, height and width of a bell curve.
const WAVES = [[-6, 0.15, 1.6], [-1.6, -0.15, 0.7], [0, 1, 0.8], [1.7, -0.25, 0.8], [8, 0.3, 2.5]];
const BEATS = [12, 33, 52];
const beats = (i) => BEATS.flatMap((beat) => WAVES.map(([place, height, width]) =>
  height * Math.exp(-(((i - beat - place) / width) ** 2) / 2))).reduce((a, b) => a + b, 0.4 * Math.sin(2 * Math.PI * i / 64));
const SIGNALS = {
  heart: ["heartbeats on a slow wave", { x: row(64, beats) }],
  tone: ["a slow tone, and a quick one for a while", { x: row(64, (i) =>
    0.8 * Math.sin(2 * Math.PI * i / 40) + (i >= 24 && i < 48 ? 0.5 * Math.sin(2 * Math.PI * i / 6) : 0)) }],
  steps: ["steps and a click", {
    x: row(64, (i) => (i < 14 ? 0 : i < 30 ? 1 : i < 48 ? 0.3 : 0.8) + (i === 39 ? 0.7 : 0)),
  }],
  click: ["a single click", { x: row(32, (i) => (i === 15 ? 1 : 0)) }],
};
const FILTERS = {
  peak: ["a narrow peak", { f: [-1, -1, 4, -1, -1] }],
  step: ["a step up", { f: [-1, -1, -1, 1, 1, 1] }],
  change: ["the change from one number to the next", { f: [-1, 1] }],
  average: ["the average of five", { f: [0.2, 0.2, 0.2, 0.2, 0.2] }],
  wave: ["one swing of the quick tone", { f: [0, 0.87, 0.87, 0, -0.87, -0.87] }],
  copy: ["one number: a copy", { f: [1] }],
};

const LEFT = 44, RIGHT = 10;
const STRIPS = { x: [14, 130], f: [164, 44], y: [234, 110] }; // the upper edge and the height of each row of the plot
const HEIGHT = 366;

function render({ model, el }) {
  const ui = frame({ model, el, title: "A signal: slide the filter along", keys: KEYS, draw, walks: ["step"] });
  const get = (key) => model.get(key);
  const signal = examples({ label: "Signal X", options: SIGNALS, start: { step: 0 }, get, set: ui.begin });
  const filter = examples({ label: "Filter F looks for", options: FILTERS, get, set: ui.begin });
  const stride = slider({ label: "stride S", min: 1, max: 4, oninput: (v) => ui.set({ stride: v }) });
  const padding = slider({ label: "padding P", min: 0, max: 4, oninput: (v) => ui.set({ padding: v }) });
  const place = slider({ label: "output", min: 0, max: 1, oninput: (v) => ui.set({ step: v }) });
  place.el.classList.add("cb-wide");
  const F = matrix({ symbol: "F", label: "Filter F", onedit: (r, c, value) => ui.set({ f: get("f").map((v, k) => (k === c ? value : v)) }) });
  const taps = stepper({
    label: "FW", min: 1, max: MOST_TAPS,
    onchange: (n) => ui.set({ f: Array.from({ length: n }, (_, k) => get("f")[k] ?? 0) }),
  });
  F.el.append(h("div", { class: "cb-sizes" }, taps.el));
  const steps = player({ count: () => Math.max(0, count()), position: picked, go: (k) => ui.set({ step: k }), delay: 250 });
  ui.tools.append(...steps.els);

  const drawing = svg("svg", { role: "img", class: "cb-plot cb-signal", tabindex: 0 });
  drawing.dataset.lmSuppressShortcuts = "true";
  const plot = h("div", {}, drawing);
  const message = h("div", { class: "cb-message", role: "status" });
  const sum = live("cb-sum");
  const formula = h("div", { class: "cb-formula" });
  const legend = h("div", { class: "cb-legend" }, "Drag across the picture, or use the arrow keys on it. Each output stands below the middle of its window.");
  ui.add(h("div", { class: "cb-controls" }, signal.el, filter.el, stride.el, padding.el),
    h("div", { class: "cb-stage" }, F.el), plot, h("div", { class: "cb-controls" }, place.el), message, sum, formula, legend);
  const hold = ui.hold(sum, formula);

  function count() { return outputSize(get("x").length, get("f").length, get("stride"), get("padding")); }
  function picked() { return clamp(get("step"), 0, Math.max(0, count() - 1)); }
  const width = () => Math.max(280, plot.clientWidth || 640);
  const total = () => get("x").length + 2 * get("padding");
  const unit = () => (width() - LEFT - RIGHT) / total();
  /** Where a cell of the padded signal stands across; half cells lie between two. */
  const across = (cell) => LEFT + (cell + 0.5) * unit();
  const follow = (event) => {
    const cell = (event.clientX - drawing.getBoundingClientRect().left - LEFT) / unit() - 0.5;
    const step = Math.round((cell - (get("f").length - 1) / 2) / get("stride"));
    if (count() > 0) ui.set({ step: clamp(step, 0, count() - 1) });
  };
  onDrag(drawing, follow);
  drawing.addEventListener("keydown", (event) => {
    const move = arrow(event);
    if (!move) return;
    ui.set({ step: clamp(picked() + move[0] + move[1], 0, Math.max(0, count() - 1)) });
  });

  function draw() {
    const [x, f, b, S, P] = ["x", "f", "bias", "stride", "padding"].map(get);
    const K = f.length;
    const padded = [...Array(P).fill(0), ...x, ...Array(P).fill(0)];
    const y = conv2d([padded], [f], { bias: b, stride: S })?.[0];
    const step = picked();
    const start = step * S;
    signal.show();
    filter.show();
    stride.show(S, { max: Math.max(4, S) });
    padding.show(P, { max: Math.max(4, P) });
    place.show(step, { max: Math.max(0, count() - 1) });
    taps.show(K);
    F.show([f]);
    F.caption.querySelector(".cb-shape").textContent = String(K);
    message.textContent = y ? "" : `The filter has ${K} numbers and does not fit into the ${padded.length} of the padded signal. `
      + "Add padding, or take a shorter filter.";
    drawPlot();
    sum.replaceChildren(...(y ? sumLines() : []));
    formula.textContent = sizeFormula("OW", "W", "FW", { size: x.length, kernel: K, stride: S, padding: P });
    hold();

    function sumLines() {
      const products = f.map((weight, k) => `${fmt(padded[start + k])}·${factor(weight)}`).join(" + ");
      return [h("span", {}, h("i", {}, "y"), h("sub", {}, step), " ="), h("span", {}, products),
        ...(b ? [h("span", {}, "+"), h("span", {}, `${factor(b)} (the bias)`)] : []),
        h("span", {}, "="), h("b", { class: "cb-result", "data-value": y[step] }, fmt(y[step]))];
    }
    function drawPlot() {
      const w = width();
      const radius = clamp(unit() * 0.34, 1.5, 4);
      drawing.setAttribute("width", w);
      drawing.setAttribute("height", HEIGHT);
      drawing.setAttribute("viewBox", `0 0 ${w} ${HEIGHT}`);
      drawing.setAttribute("aria-label", y
        ? `Signal of ${x.length} numbers, and below it the output of ${y.length}. Output ${step} is ${fmt(y[step])}. Arrow keys move the window.`
        : "The filter does not fit into the signal.");
      const parts = [];
      const strip = (key, letter, values, [low, high], text) => {
        const [top, height] = STRIPS[key];
        const at = (v) => top + (high - v) / (high - low) * height;
        parts.push(svg("text", { x: 2, y: at(0) + 4, class: "cb-strong" }, letter),
          svg("path", { class: "cb-grid", d: `M${LEFT} ${at(0)}H${w - RIGHT}` }));
        if (text) for (const v of [high, low]) if (Math.abs(at(v) - at(0)) > 12)
          parts.push(svg("text", { x: LEFT - 5, y: at(v) + 4, "text-anchor": "end" }, fmt(v)));
        return at;
      };
      const range = (values) => {
        const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
        return low === high ? [-1, 1] : [low, high];
      };
      const atX = strip("x", "X", padded, range(padded), true);
      if (y) {
        const [top] = STRIPS.x;
        parts.push(svg("rect", { class: "cb-signal-window", x: across(start) - unit() / 2, y: top - 8, width: unit() * K,
          height: STRIPS.f[0] + STRIPS.f[1] - top + 14 }));
      }
      parts.push(svg("path", { class: "cb-curve", d: `M${x.map((v, i) => `${across(i + P).toFixed(1)} ${atX(v).toFixed(1)}`).join("L")}` }));
      padded.forEach((v, i) => parts.push(svg("circle", {
        class: i < P || i >= P + x.length ? "cb-signal-pad" : "cb-point", cx: across(i), cy: atX(v), r: radius,
        ...(y && i >= start && i < start + K ? { "data-now": "" } : {}),
      })));
      if (!y) return drawing.replaceChildren(...parts);
      const atF = strip("f", "F", f, range(f), false);
      f.forEach((v, k) => parts.push(svg("rect", {
        class: v < 0 ? "cb-signal-tap central" : "cb-signal-tap", x: across(start + k) - Math.min(unit() * 0.4, 7),
        width: Math.min(unit() * 0.8, 14), y: Math.min(atF(v), atF(0)), height: Math.max(1, Math.abs(atF(v) - atF(0))),
      })));
      const atY = strip("y", "Y", y, range(y), true);
      const middle = (o) => across(o * S + (K - 1) / 2);
      parts.push(svg("path", { class: "cb-now", d: `M${middle(step)} ${STRIPS.f[0] + STRIPS.f[1] + 6}V${atY(y[step])}` }),
        svg("path", { class: "cb-curve", d: `M${y.map((v, o) => `${middle(o).toFixed(1)} ${atY(v).toFixed(1)}`).join("L")}` }));
      y.forEach((v, o) => parts.push(svg("circle", {
        class: "cb-point", cx: middle(o), cy: atY(v), r: o === step ? radius + 2 : radius, "data-output": o, "data-value": v,
        ...(o === step ? { "data-now": "" } : {}),
      })));
      const [top, height] = STRIPS.y;
      parts.push(svg("text", { x: w - RIGHT, y: top + height + 18, "text-anchor": "end" }, `W = ${x.length}, OW = ${y.length}`));
      drawing.replaceChildren(...parts);
    }
  }

  return ui.start({ watch: plot, stop: steps.stop });
}

export default { render };
