// HeartExplorer: a drawn heart beats; a U-Net in the page marks it; the reader spoils its pictures.
import { clamp } from "./kit/arithmetic.js";
import { buttons, checkbox, player, slider } from "./kit/controls.js";
import { h, live, svg } from "./kit/elements.js";
import { frame } from "./kit/frame.js";
import { unpack } from "./kit/packed.js";
import { picture } from "./kit/pictures.js";
import { keyOf, point } from "./kit/plot.js";
import { arrow, onDrag } from "./kit/pointing.js";
import { fmt } from "./kit/text.js";
import { readUnet, runUnet, softmaxPixels } from "./kit/unet.js";
import { contourPath } from "./heart/contour.js";
import { normalNumbers, spoiled, standardised, turned } from "./heart/spoiling.js";
import "./heart_explorer.css";

const KEYS = ["phase", "slice", "shown", "threshold", "veil", "skips", "noise", "contrast", "rotate", "seed"];
const SPOILING = ["skips", "noise", "contrast", "rotate", "seed"]; // what the network must be asked anew for
const CLASSES = ["background", "cavity", "muscle"];
const PIXELS_OF_PLOT = { left: 34, right: 10, top: 10, bottom: 30, height: 170 };
const ALLOWED = 0.06; // by how much an ejection fraction may be off
const PAUSE = 15; // milliseconds for the browser between two pictures

function render({ model, el }) {
  const { pictures, classes, millilitres } = model.get("film");
  const [films, labels] = [pictures.map(unpack), classes.map(unpack)];
  const [phases, size] = films[0].shape;
  const slices = films.length;
  const unets = Object.fromEntries(Object.entries(model.get("unets")).map(([way, stored]) => [way, readUnet(stored)]));
  const weights = model.get("unets").with.count;

  const ui = frame({ model, el, title: "A beating heart, and what the U-Net sees", keys: KEYS, draw, walks: ["phase", "slice", "threshold"] });
  const get = (key) => model.get(key);
  const at = (key, count) => clamp(get(key), 0, count - 1);
  const phaseNow = () => at("phase", phases);
  const sliceNow = () => at("slice", slices);

  // --- The parts of the figure ---
  const base = greyPicture();
  const veil = picture();
  veil.el.classList.add("cb-heart-veil");
  const [truthLine, foundLine, truthHalo, foundHalo] = ["truth", "found", "truth halo", "found halo"].map((cls) => svg("path", { class: `cb-heart-line ${cls}` }));
  const lines = svg("svg", { class: "cb-heart-lines", viewBox: `0 0 ${size} ${size}`, "aria-hidden": "true" }, truthHalo, truthLine, foundHalo, foundLine);
  const view = h("div", { class: "cb-view cb-heart-view", role: "img" }, base.el, veil.el, lines);
  const legend = h("div", { class: "cb-heart-legend" }, lineKey("truth", "truth"), lineKey("found", "network"));
  const said = live("cb-heart-said");
  const plot = volumePlot();
  const verdict = h("div", { class: "cb-heart-verdict" });
  const speed = h("div", { class: "cb-legend" });

  const control = (key, settings) => slider({ ...settings, oninput: (v) => ui.set({ [key]: v }) });
  const sliders = {
    slice: control("slice", { label: "slice", min: 0, max: slices - 1, text: (v) => (v === 0 ? "1 (base)" : v === slices - 1 ? `${slices} (apex)` : v + 1) }),
    threshold: control("threshold", { label: "threshold", min: 0.01, max: 0.99, step: 0.01 }),
    noise: control("noise", { label: "noise", min: 0, max: 0.5, step: 0.01 }),
    contrast: control("contrast", { label: "contrast", min: 0.1, max: 3, step: 0.05, text: (v) => `× ${fmt(v)}` }),
    rotate: control("rotate", { label: "rotate", min: -180, max: 180, step: 1, text: (v) => `${fmt(v)}°` }),
  };
  const shown = buttons({
    label: "What is marked", name: "mark", options: { cavity: ["cavity", "Mark the cavity"], muscle: ["muscle", "Mark the muscle"] },
    onchange: (value) => ui.set({ shown: value }),
  });
  const veiled = checkbox({ text: "probability as a veil", onchange: (value) => ui.set({ veil: value }) });
  const skips = checkbox({ text: "skips", onchange: (value) => ui.set({ skips: value }), disabled: !unets.without });
  const playing = player({ count: () => phases, position: phaseNow, go: (phase) => ui.set({ phase }), delay: 130 });
  ui.tools.append(...playing.els);
  ui.add(
    h("div", { class: "cb-heart" },
      h("div", { class: "cb-heart-left" }, view, legend),
      h("div", { class: "cb-heart-right" }, said, plot.el, verdict)),
    h("div", { class: "cb-controls cb-heart-controls" }, shown.el, sliders.slice.el, sliders.threshold.el,
      h("div", { class: "cb-heart-ticks" }, veiled.el, skips.el),
      h("div", { class: "cb-heart-break" }, "Spoil the picture:"), sliders.noise.el, sliders.contrast.el, sliders.rotate.el),
    speed);
  const hold = ui.hold(said, verdict);

  // --- What the network says, picture by picture, as soon as there is time ---
  let asked = null; // the settings that `known` belongs to
  let known = new Map(); // "slice,phase" -> {picture, truth: [map by class], p}
  let normal = null; // the noise, for all pictures of this seed
  let waiting = null;
  const times = [];

  /** The picture as it is spoiled, the true masks, and the probabilities. */
  function compute(slice, phase) {
    const key = `${slice},${phase}`;
    if (known.has(key)) return known.get(key);
    const [noise, contrast, degrees] = ["noise", "contrast", "rotate"].map(get);
    const pixels = size * size;
    if (!normal || normal.seed !== get("seed"))
      normal = { seed: get("seed"), values: normalNumbers(get("seed"), 2 * slices * phases * pixels) };
    const first = 2 * (slice * phases + phase) * pixels;
    const seen = spoiled(turned(films[slice].part(phase), size, degrees), contrast, noise, normal.values.subarray(first, first + 2 * pixels));
    const label = labels[slice].part(phase);
    const truth = CLASSES.map((_, k) => turned(label.map((v) => (Math.round(v) === k ? 1 : 0)), size, degrees));
    const started = performance.now();
    const scores = runUnet(unets[get("skips") ? "with" : "without"] ?? unets.with, standardised(seen), size, size);
    times.push(performance.now() - started);
    if (times.length > 60) times.shift();
    const p = softmaxPixels(scores, CLASSES.length);
    const result = { seen, truth, p };
    known.set(key, result);
    return result;
  }
  /** Numbers of pixels: found, true, and both. */
  function areas({ truth, p }, k, threshold) {
    let [found, real, both] = [0, 0, 0];
    const probability = p.subarray(k * size * size, (k + 1) * size * size);
    for (let i = 0; i < probability.length; i++) {
      const [a, b] = [probability[i] >= threshold, truth[k][i] >= 0.5];
      found += a;
      real += b;
      both += a && b;
    }
    return { found, real, dice: found + real ? 2 * both / (found + real) : 1 };
  }
  /** The first picture that is not known yet: those of this phase first. */
  function missing() {
    for (let k = 0; k < phases; k++)
      for (let slice = 0; slice < slices; slice++) {
        const phase = (phaseNow() + k) % phases;
        if (!known.has(`${slice},${phase}`)) return [slice, phase];
      }
    return null;
  }
  function goOn() {
    waiting = null;
    const next = missing();
    if (next) compute(...next);
    showVolumes();
    if (next) waiting = setTimeout(goOn, PAUSE);
  }

  function draw() {
    const settings = JSON.stringify(SPOILING.map(get));
    if (settings !== asked) [asked, known] = [settings, new Map()];
    const [slice, phase, k] = [sliceNow(), phaseNow(), CLASSES.indexOf(get("shown"))];
    const threshold = get("threshold");
    const now = compute(slice, phase);
    const p = now.p.subarray(k * size * size, (k + 1) * size * size);
    for (const key of Object.keys(sliders)) sliders[key].show(key === "slice" ? slice : get(key));
    shown.show(get("shown"));
    veiled.show(get("veil"));
    skips.show(get("skips"));
    base.show(now.seen, size);
    veil.el.hidden = !get("veil");
    veil.show(p.map((v) => -v), size, size, 1.6); // orange, as the network's line is
    for (const line of [truthLine, truthHalo]) line.setAttribute("d", contourPath(now.truth[k], size, size, 0.5));
    for (const line of [foundLine, foundHalo]) line.setAttribute("d", contourPath(p, size, size, threshold));
    const { found, real, dice } = areas(now, k, threshold);
    Object.assign(view.dataset, { dice, found, real, sample: JSON.stringify(Array.from(p).filter((_, i) => i % 67 === 0)) });
    view.setAttribute("aria-label", `Slice ${slice + 1}, picture ${phase + 1} of ${phases}: the ${get("shown")} as it is and as the network marks it`);
    said.replaceChildren(
      h("div", {}, "Dice of this picture ", h("b", { class: "cb-figure" }, dice.toFixed(3))),
      h("div", { class: "cb-muted" }, `${found} pixels marked, ${real} are ${get("shown")}`));
    showVolumes();
    if (waiting === null && missing()) waiting = setTimeout(goOn, PAUSE);
    hold();
  }

  /** The volumes at all phases whose slices are known. */
  function showVolumes() {
    const k = CLASSES.indexOf(get("shown"));
    const rows = Array.from({ length: phases }, (_, phase) => {
      const all = Array.from({ length: slices }, (__, slice) => known.get(`${slice},${phase}`));
      if (!all.every(Boolean)) return null;
      const counted = all.map((one) => areas(one, k, get("threshold")));
      return ["real", "found"].map((name) => millilitres * counted.reduce((sum, one) => sum + one[name], 0));
    });
    plot.show(rows, phaseNow());
    const complete = rows.every(Boolean);
    view.dataset.complete = complete;
    const said = complete ? sentence(rows) : "The network goes through the other pictures of the beat …";
    verdict.replaceChildren(...[said].flat());
    const middle = times.slice().sort((a, b) => a - b)[times.length >> 1];
    speed.textContent = `${weights.toLocaleString("en-GB")} weights; one picture takes ${fmt(middle, 0)} ms here, in your browser. The heart is drawn: no patient is in it.`;
  }
  function sentence(rows) {
    if (get("shown") === "muscle") {
      const error = rows.reduce((sum, [real, found]) => sum + Math.abs(found - real), 0) / phases;
      return `The muscle keeps its volume while it thickens; the network is off by ${fmt(error, 0)} ml on average.`;
    }
    const fraction = (which) => {
      const values = rows.map((row) => row[which]);
      return values[0] ? 1 - Math.min(...values) / values[0] : NaN;
    };
    const [real, found] = [fraction(0), fraction(1)];
    if (Number.isNaN(found)) return "The network finds no cavity at end-diastole: there is no ejection fraction.";
    const off = Math.abs(found - real);
    return ["Ejection fraction ", h("b", { class: "cb-figure", "data-fraction": found }, `${Math.round(100 * found)} %`),
      `, truly ${Math.round(100 * real)} %: `,
      h("span", { class: off <= ALLOWED ? "cb-good" : "cb-message" }, `off by ${fmt(100 * off, 1)} points`), "."];
  }

  /** Volume over the beat, in truth and as it was found; a click or a drag chooses the phase. */
  function volumePlot() {
    const { left, right, top, bottom, height } = PIXELS_OF_PLOT;
    const image = svg("svg", { class: "cb-plot", role: "img", tabindex: 0, "data-lm-suppress-shortcuts": "true" });
    const box = h("div", { class: "cb-heart-plot" }, h("div", { class: "cb-heart-keys" }, keyOf("", "truth"), keyOf("central", "network")), image);
    let width = 300;
    const across = (phase) => left + phase / (phases - 1) * (width - left - right);
    onDrag(image, (event) => {
      const share = (event.clientX - image.getBoundingClientRect().left - left) / (width - left - right);
      ui.set({ phase: clamp(Math.round(share * (phases - 1)), 0, phases - 1) });
    });
    image.addEventListener("keydown", (event) => {
      const move = arrow(event);
      if (move) ui.set({ phase: (phaseNow() + (move[1] || -move[0]) + phases) % phases });
    });
    let highest = 0;
    return {
      el: box,
      show(rows, now) {
        width = Math.max(220, box.clientWidth || 300);
        const values = rows.filter(Boolean).flat();
        if (!values.length) return;
        const most = Math.max(...values, 1);
        const step = [5, 10, 20, 50, 100, 200].find((s) => most / s <= 4) ?? 500;
        if (most > highest || most < highest / 2) highest = step * Math.ceil(most / step);
        const down = (v) => top + (1 - v / highest) * (height - top - bottom);
        const ticks = Array.from({ length: Math.floor(highest / step) + 1 }, (_, i) => i * step);
        const curve = (which, cls) => {
          const there = rows.map((row, phase) => (row ? [across(phase), down(row[which])] : null));
          const d = there.map((place, i) => (place ? `${there[i - 1] ? "L" : "M"}${place[0]} ${place[1]}` : "")).join("");
          return [svg("path", { class: `cb-curve ${cls}`, d }), rows.map((row, phase) => row && point(cls, across(phase), down(row[which]), 3, {
            "data-phase": phase, "data-value": row[which], "data-curve": which ? "found" : "truth", ...(phase === now ? { "data-now": "" } : {}),
          }))];
        };
        image.setAttribute("width", width);
        image.setAttribute("height", height);
        image.setAttribute("aria-label", `Volume over the beat in millilitres; at picture ${now + 1} truly ${rows[now] ? fmt(rows[now][0], 0) : "unknown"}, found ${rows[now] ? fmt(rows[now][1], 0) : "unknown"}. Arrow keys choose another picture.`);
        image.replaceChildren(
          ...ticks.flatMap((v) => [svg("path", { class: "cb-grid", d: `M${left} ${down(v)}H${width - right}` }), svg("text", { x: left - 5, y: down(v) + 4, "text-anchor": "end" }, v)]),
          svg("text", { x: left, y: height - 8 }, "one beat →"),
          svg("text", { x: width - right, y: height - 8, "text-anchor": "end" }, "volume in ml"),
          svg("path", { class: "cb-now", d: `M${across(now)} ${top}V${height - bottom}` }),
          ...curve(0, "").flat(2).filter(Boolean), ...curve(1, "central").flat(2).filter(Boolean));
      },
    };
  }

  return ui.start({ watch: plot.el, stop() { playing.stop(); clearTimeout(waiting); } });
}

/** A picture in grey, from black to white: {el, show(values, size)}. */
function greyPicture() {
  const el = h("canvas", { class: "cb-picture", "aria-hidden": "true" });
  return {
    el,
    show(values, size) {
      if (el.width !== size) [el.width, el.height] = [size, size];
      const context = el.getContext("2d");
      const image = context.createImageData(size, size);
      for (let i = 0; i < size * size; i++) {
        image.data.fill(255 * Math.min(1, values[i]), 4 * i, 4 * i + 3);
        image.data[4 * i + 3] = 255;
      }
      context.putImageData(image, 0, 0);
    },
  };
}

/** A piece of a contour and whose it is. */
const lineKey = (cls, text) => h("span", { class: "cb-key" }, svg("svg", { width: 30, height: 12, "aria-hidden": "true" },
  svg("path", { class: `cb-heart-line ${cls} halo`, d: "M1 6H29" }), svg("path", { class: `cb-heart-line ${cls}`, d: "M1 6H29" })), text);

export default { render };
