// GradientFlowExplorer: how large signal and gradient are along the layers of a small random
// network, plain and residual.
import { clamp } from "./kit/arithmetic.js";
import { buttons, checkbox, slider } from "./kit/controls.js";
import { button, h, live, svg } from "./kit/elements.js";
import { frame } from "./kit/frame.js";
import { keyOf, point } from "./kit/plot.js";
import { onDrag } from "./kit/pointing.js";
import { fmt } from "./kit/text.js";
import { flow } from "./flow/network.js";
import "./gradient_flow.css";

const KEYS = ["depth", "show", "norm", "scale", "seed", "layer"];
const SCALES = [0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 4];
const CURVES = { plain: "", residual: "central" }; // by kind of network
const QUANTITIES = { signal: "Signal", gradient: "Gradient by the signal", weights: "Gradient by the filters" };
const MOST_SEEDS = 999;
const LEFT = 42, RIGHT = 8, TOP = 8, BOTTOM = 34, HEIGHT = 190; // of a plot

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const power = (k) => `10${[...String(k)].map((c) => RAISED[c]).join("")}`;

/** A size with two digits: 0.034, 2,100 or 4.1·10⁻⁷. */
function size(v) {
  if (v === 0 || !Number.isFinite(v)) return String(v);
  let k = Math.floor(Math.log10(v));
  if (Number((v / 10 ** k).toPrecision(2)) >= 10) k += 1;
  if (k < -2 || k > 3) return `${Number((v / 10 ** k).toPrecision(2))}·${power(k)}`;
  return Number(v.toPrecision(2)).toLocaleString("en-GB");
}

function render({ model, el }) {
  const ui = frame({ model, el, title: "Before any training: signal and gradient along the layers", keys: KEYS, draw, walks: ["layer"] });
  const get = (key) => model.get(key);
  const show = buttons({
    label: "Networks", options: {
      both: ["both", "Show both networks"],
      plain: ["plain", "Show the plain network alone"],
      residual: ["residual", "Show the residual network alone"],
    },
    onchange: (value) => ui.set({ show: value }),
  });
  const norm = checkbox({ text: "batch normalisation", onchange: (value) => ui.set({ norm: value }) });
  const depth = slider({
    label: "depth", min: 4, max: 60, step: 2, text: (v) => `${v} layers`, oninput: (v) => ui.set({ depth: v }),
  });
  const scale = slider({
    label: "initial filters", min: 0, max: SCALES.length - 1, text: () => `${fmt(get("scale"))} × He's`,
    oninput: (k) => ui.set({ scale: SCALES[k] }),
  });
  const layer = slider({ label: "layer", min: 1, max: 2, text: (v) => `${v} of ${count()}`, oninput: (v) => ui.set({ layer: v - 1 }) });
  for (const control of [depth, scale, layer]) control.el.classList.add("cb-wide");
  ui.tools.append(button("Other weights", "Draw other pictures and other weights",
    () => ui.set({ seed: (get("seed") + 1) % (MOST_SEEDS + 1) })));

  const panels = Object.entries(QUANTITIES).map(([key, title]) => panel(key, title));
  const plots = h("div", { class: "cb-flows" }, panels.map((p) => p.el));
  const legend = h("div", { class: "cb-legend" });
  const said = live("cb-remark");
  const verdict = h("div", { class: "cb-formula" });
  ui.add(h("div", { class: "cb-controls" }, show.el, norm.el, depth.el, scale.el), plots, legend,
    h("div", { class: "cb-controls" }, layer.el), said, verdict);
  const hold = ui.hold(said, verdict);

  const count = () => get("depth") - 1; // of convolutions
  const at = () => clamp(get("layer"), 0, count() - 1);
  const kinds = () => (get("show") === "both" ? Object.keys(CURVES) : [get("show")]);
  const kept = {}; // what was computed last, by kind, and for which settings
  function sizes(kind) {
    const settings = { residual: kind === "residual" };
    for (const key of ["depth", "norm", "scale", "seed"]) settings[key] = get(key);
    const key = JSON.stringify(settings);
    if (kept[kind]?.key !== key) kept[kind] = { key, rows: flow(settings) };
    return kept[kind].rows;
  }

  function draw() {
    show.show(get("show"));
    norm.show(get("norm"));
    depth.show(get("depth"));
    scale.show(SCALES.reduce((best, v, k) => (Math.abs(v - get("scale")) < Math.abs(SCALES[best] - get("scale")) ? k : best), 0));
    layer.show(at() + 1, { max: count() });
    panels.forEach((p) => p.show());
    legend.replaceChildren(...kinds().map((kind) => keyOf(CURVES[kind], kind)), "Upwards each line is ten times the one below, or more.");
    said.replaceChildren(...kinds().map((kind) => {
      const now = sizes(kind)[at()];
      return h("div", {}, `Layer ${at() + 1}, ${kind}: signal ${size(now.signal)}, gradient by it ${size(now.gradient)}, by the filters ${size(now.weights)}.`);
    }));
    verdict.replaceChildren(...kinds().map((kind) => h("div", { "data-verdict": kind }, ...told(kind))));
    hold();
  }

  /** Say what becomes of the signal on its way, and of the gradient on its way back. */
  function told(kind) {
    const rows = sizes(kind);
    const [first, last] = [rows[0], rows.at(-1)];
    const change = (from, to) => {
      const [ratio, each] = [to / from, (to / from) ** (1 / (rows.length - 1))];
      return `${size(ratio)} times as large, ${fmt(each)} at each layer`;
    };
    return [h("b", {}, `${kind[0].toUpperCase()}${kind.slice(1)}: `),
      `from the first layer to the last the signal becomes ${change(first.signal, last.signal)}; `
      + `on the way back its gradient becomes ${change(last.gradient, first.gradient)}.`];
  }

  /** One plot over the layers, upwards logarithmic; a press or drag chooses the layer. */
  function panel(quantity, title) {
    const image = svg("svg", { class: "cb-plot", role: "img" });
    const box = h("div", { class: "cb-flow" }, h("div", { class: "cb-flowname" }, title), image);
    let width = 300;
    const across = (i) => LEFT + i / Math.max(1, count() - 1) * (width - LEFT - RIGHT);
    onDrag(image, (event) => {
      const place = (event.clientX - image.getBoundingClientRect().left - LEFT) / (width - LEFT - RIGHT);
      ui.set({ layer: clamp(Math.round(place * (count() - 1)), 0, count() - 1) });
    });
    return {
      el: box,
      show() {
        width = Math.max(200, box.clientWidth || 300);
        const there = (v) => Number.isFinite(v) && v > 0;
        const values = kinds().flatMap((kind) => sizes(kind).map((row) => row[quantity])).filter(there);
        const low = values.length ? Math.floor(Math.log10(Math.min(...values))) : 0;
        const high = Math.max(low + 1, values.length ? Math.ceil(Math.log10(Math.max(...values))) : 1);
        const every = Math.ceil((high - low) / 6);
        const bottom = HEIGHT - BOTTOM;
        const down = (v) => TOP + (high - Math.log10(v)) / (high - low) * (bottom - TOP);
        const parts = [];
        for (let k = low; k <= high; k += every) parts.push(
          svg("path", { class: "cb-grid", d: `M${LEFT} ${down(10 ** k)}H${width - RIGHT}` }),
          svg("text", { x: LEFT - 5, y: down(10 ** k) + 4, "text-anchor": "end" }, power(k)));
        const marks = [...new Set([0, Math.round((count() - 1) / 2), count() - 1])];
        for (const i of marks) parts.push(svg("text", {
          x: across(i), y: bottom + 15, "text-anchor": i === count() - 1 ? "end" : "middle",
        }, i + 1));
        parts.push(svg("text", { x: (LEFT + width - RIGHT) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, "layer"),
          svg("path", { class: "cb-now", d: `M${across(at())} ${TOP}V${bottom}` }));
        for (const kind of kinds()) {
          const drawn = sizes(kind).map((row, i) => [i, row[quantity]]).filter(([, v]) => there(v));
          parts.push(svg("path", { class: `cb-curve ${CURVES[kind]}`, d: drawn.length ? `M${drawn.map(([i, v]) => `${across(i)} ${down(v)}`).join("L")}` : "" }),
            ...drawn.map(([i, v]) => point(CURVES[kind], across(i), down(v), i === at() ? 4 : 1.8,
              { "data-kind": kind, "data-layer": i, "data-value": v, "data-now": i === at() && "true" })));
        }
        image.setAttribute("width", width);
        image.setAttribute("height", HEIGHT);
        image.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
        image.setAttribute("data-quantity", quantity);
        image.setAttribute("aria-label", `${title} over the layers, logarithmic. ${kinds().map((kind) =>
          `${kind}: ${size(sizes(kind)[0][quantity])} in the first layer, ${size(sizes(kind).at(-1)[quantity])} in the last`).join("; ")}.`);
        image.replaceChildren(...parts);
      },
    };
  }

  return ui.start({ watch: plots });
}

export default { render };
