// CodeExplorer: an autoencoder with two numbers in the middle. A walk through its code, and what it
// makes of a drawing.
import { clamp } from "./kit/arithmetic.js";
import { buttons, slider } from "./kit/controls.js";
import { button, h, live, svg } from "./kit/elements.js";
import { frame, holdHeight } from "./kit/frame.js";
import { readLayers, runLayers } from "./kit/network.js";
import { unpack } from "./kit/packed.js";
import { picture } from "./kit/pictures.js";
import { arrow, onDrag } from "./kit/pointing.js";
import { seededRandom } from "./kit/random.js";
import { fmt } from "./kit/text.js";
import { SIDE } from "./playground/digit_image.js";
import { galleries } from "./playground/gallery.js";
import { drawingPad } from "./playground/pad.js";
import { strokePictures } from "./playground/strokes.js";
import "./code.css";

const KEYS = ["code", "pixels", "strokes", "pen", "limit", "background"];
const TILES = 14; // drawn along each side of the map
const STEPS = 50; // of the arrow keys, across the map
const BINS = 30; // of the histogram
const MAP = 560; // pixels of the map of places

// What is no digit.
const SKETCHES = {
  "a house": [{
    width: 20, points: [[70, 240], [70, 130], [70, 130], [140, 60], [140, 60], [210, 130], [210, 130], [210, 240], [210, 240], [70, 240]],
  }],
  "an A": [{ width: 22, points: [[70, 240], [140, 40], [140, 40], [210, 240]] }, { width: 22, points: [[98, 170], [182, 170]] }],
  "a face": [{ width: 18, points: [[140, 40], [80, 60], [50, 110], [50, 170], [80, 220], [140, 240], [200, 220], [230, 170], [230, 110], [200, 60], [140, 40]] },
    { width: 22, points: [[105, 110], [105, 122]] }, { width: 22, points: [[175, 110], [175, 122]] },
    { width: 16, points: [[95, 170], [120, 190], [160, 190], [185, 170]] }],
  "a cross": [{ width: 24, points: [[60, 60], [220, 220]] }, { width: 24, points: [[220, 60], [60, 220]] }],
};

const VIEWS = {
  digits: ["what is drawn there", "The map shows what the decoder draws at each place"],
  places: ["where digits lie", "The map shows the codes of the known digits"],
};

function render({ model, el }) {
  const ui = frame({ model, el, title: "Two numbers make a digit: walk through the code", keys: KEYS, draw });
  const get = (key) => model.get(key);
  const { corners: [low, high], labels, ...data } = get("data");
  const [codes, errors] = [unpack(data.codes), unpack(data.errors)];
  const known = Array.from(labels, (label, i) => ({ label, code: codes.part(i), error: errors.part(i)[0] }));
  const encoder = readLayers(get("layers")[0], [1, SIDE, SIDE]);
  const decoder = readLayers(get("layers")[1], [2]);
  const encode = (x) => Array.from(runLayers(encoder, x).at(-1));
  const decode = (code) => runLayers(decoder, Float32Array.from(code)).at(-1);
  const inputOf = (pixels) => Float32Array.from(pixels.flat(), (v) => v / 255);
  const isEmpty = (pixels) => pixels.every((row) => row.every((v) => v === 0));
  const { pixelsOf } = strokePictures();
  const within = (v, axis) => Number(clamp(v, low[axis], high[axis]).toFixed(4));

  // --- The map ---
  const tiles = picture({ ink: true });
  const places = h("canvas", { class: "cb-places", width: MAP, height: MAP, "aria-hidden": "true" });
  const cross = h("span", { class: "cb-here", "aria-hidden": "true" });
  const map = h("div", {
    class: "cb-map", tabindex: "0", role: "application", "data-lm-suppress-shortcuts": "true",
    "aria-label": "Map of the code. Arrow keys move the point, with Shift five steps at once.", onkeydown: typed,
  }, tiles.el, places, cross);
  onDrag(map, (event) => {
    const box = map.getBoundingClientRect();
    const [right, up] = [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
    ui.set({ code: [right, up].map((part, axis) => within(low[axis] + part * (high[axis] - low[axis]), axis)) });
  });
  function typed(event) {
    const move = arrow(event);
    if (!move) return;
    const many = event.shiftKey ? 5 : 1;
    ui.set({ code: [move[1], -move[0]].map((by, axis) => within(get("code")[axis] + many * by * (high[axis] - low[axis]) / STEPS, axis)) });
  }
  const background = buttons({ label: "What the map shows", name: "Map:", options: VIEWS, onchange: (v) => ui.set({ background: v }) });
  const drawn = picture({ ink: true, label: "What the decoder draws of this code" });
  const numbers = h("div", { class: "cb-numbers-of-code" });
  const random = seededRandom(3);
  /** A code with noise: that of a known digit, moved a little in a random direction. */
  const noise = () => {
    const { code } = known[Math.floor(random() * known.length)];
    const [angle, length] = [2 * Math.PI * random(), Math.sqrt(-2 * Math.log(1 - random())) * 0.03];
    const by = [Math.cos(angle), Math.sin(angle)];
    ui.set({ code: by.map((b, axis) => within(code[axis] + b * length * (high[axis] - low[axis]), axis)) });
  };
  const more = button("Another digit", "The code of a known digit with a little noise: another digit", noise);

  // --- The drawing ---
  function change({ strokes }) {
    const pixels = pixelsOf(strokes, true, true);
    ui.set({ strokes, pixels, ...(isEmpty(pixels) ? {} : { code: encode(inputOf(pixels)) }) });
  }
  const pad = drawingPad({ get, change, setPen: (width) => ui.set({ pen: width }) });
  const gallery = galleries({
    stored: get("examples"), drawings: SKETCHES, title: "No digits",
    choose: (pixels) => { pad.lift(); ui.set({ strokes: [], pixels, code: encode(inputOf(pixels)) }); },
    sketch: (strokes) => { pad.lift(); change({ strokes }); },
  });
  const step = (title, options = { ink: true }) => {
    const image = picture(options);
    const text = h("span", { class: "cb-shape" });
    return { image, text, el: h("figure", { class: "cb-codestep" }, h("div", { class: "cb-view" }, image.el), h("figcaption", {}, h("b", {}, title), text)) };
  };
  const [read, squeezed, difference] = [step("what goes in"), step("what comes out"), step("the difference", {})];
  const own = h("div", { class: "cb-owncode" });

  // --- How strange ---
  const most = errors.largest * 1.02;
  const width = most / BINS;
  const counts = Array(BINS).fill(0);
  for (const { error } of known) counts[clamp(Math.floor(error / width), 0, BINS - 1)] += 1;
  const tallest = Math.max(...counts);
  const at = (error) => clamp(error / most, 0, 1) * 300;
  const bars = counts.map((n, i) => svg("rect", { x: i * 10 + 0.5, y: 90 - 80 * n / tallest, width: 9, height: 80 * n / tallest }));
  const limitLine = svg("path", { class: "cb-limit" });
  const ownLine = svg("path", { class: "cb-own" });
  const chart = svg("svg", { viewBox: "-4 0 308 108", class: "cb-histogram", role: "img" },
    bars, svg("path", { class: "cb-axis", d: "M0 90H300" }), limitLine, ownLine,
    svg("text", { x: 0, y: 104 }, "0"), svg("text", { x: 300, y: 104, "text-anchor": "end" }, `error ${fmt(most, 3)}`));
  const limit = slider({
    label: "threshold", min: 0, max: Number(most.toFixed(4)), step: 0.0005, text: (v) => v.toFixed(4),
    oninput: (v) => ui.set({ limit: v }),
  });
  const alarms = h("div", { class: "cb-alarms" });
  const verdict = live("cb-strange");

  const part = (title, hint) => h("div", { class: "cb-codehead" }, h("b", {}, title), " ", h("span", { class: "cb-shape" }, hint));
  ui.add(
    h("div", { class: "cb-codewalk" },
      h("div", { class: "cb-mapside" }, map, h("div", { class: "cb-mapaxes", "aria-hidden": "true" }, h("span", {}, "first number →"), h("span", {}, "second number ↑"))),
      h("div", { class: "cb-decoded" }, h("div", { class: "cb-view" }, drawn.el), numbers, more, background.el)),
    part("Your own drawing", "the encoder makes two numbers of it, and the decoder a picture of those"),
    h("div", { class: "cb-codewalk" }, pad.el,
      h("div", { class: "cb-judge" }, h("div", { class: "cb-codesteps" }, read.el, squeezed.el, difference.el), own,
        chart, h("div", { class: "cb-legend" }, `bars: errors of ${known.length} known digits · dashed: threshold · line: your drawing`),
        h("div", { class: "cb-limitrow" }, limit.el), alarms, verdict)),
    ...gallery.els.filter(Boolean));
  const hold = holdHeight(own, alarms, verdict);
  let seen = {};
  let later;

  function draw() {
    const now = Object.fromEntries(KEYS.map((key) => [key, get(key)]));
    const before = seen;
    seen = now;
    const same = (key) => JSON.stringify(before[key]) === JSON.stringify(now[key]);
    // Pixels that Python gave alone: the strokes are gone, and the point moves to their code.
    if (before.pixels && !same("pixels") && same("strokes") && now.strokes.length) ui.set({ strokes: [] });
    if (before.pixels && !same("pixels") && same("code") && !isEmpty(now.pixels)) ui.set({ code: encode(inputOf(now.pixels)) });
    showCode(now.code);
    if (before.pixels !== now.pixels || before.strokes !== now.strokes) {
      pad.show(now.strokes, now.pixels, isEmpty(now.pixels));
      showDrawing(now.pixels);
    }
    pad.showTools(isEmpty(now.pixels));
    judge(now);
    background.show(now.background);
    tiles.el.hidden = now.background !== "digits";
    places.hidden = now.background !== "places";
    if (!before.pixels) later = requestAnimationFrame(() => { // what takes longest comes last
      gallery.draw();
      press(now);
      drawTiles();
      drawPlaces();
    });
    else if (before.pixels !== now.pixels || before.strokes !== now.strokes) press(now);
    hold();
  }
  function press({ pixels, strokes }) {
    gallery.press(gallery.exampleOf(pixels));
    gallery.pressSketch(strokes);
  }

  function showCode(code) {
    const image = decode(code);
    drawn.show(image, SIDE, SIDE);
    const [x, y] = code.map((v, axis) => clamp((v - low[axis]) / (high[axis] - low[axis]), 0, 1));
    cross.style.left = `${100 * x}%`;
    cross.style.top = `${100 * (1 - y)}%`;
    numbers.replaceChildren("code ", h("b", { class: "cb-first", "data-value": code[0] }, fmt(code[0])), " and ", h("b", { class: "cb-second", "data-value": code[1] }, fmt(code[1])));
    map.setAttribute("aria-description", `first number ${fmt(code[0])}, second number ${fmt(code[1])}`);
  }

  let error = null; // of the drawing; null while the pad is empty
  function showDrawing(pixels) {
    const empty = isEmpty(pixels);
    const x = inputOf(pixels);
    const code = empty ? null : encode(x);
    const y = empty ? x : decode(code);
    const gap = y.map((v, i) => v - x[i]);
    error = empty ? null : gap.reduce((sum, v) => sum + v * v, 0) / gap.length;
    read.image.show(x, SIDE, SIDE);
    squeezed.image.show(y, SIDE, SIDE);
    difference.image.show(gap, SIDE, SIDE);
    difference.text.textContent = empty ? "" : " blue: too much ink, orange: too little";
    own.replaceChildren(...(empty ? ["The pad is empty."] : [
      "its code ", h("b", {}, code.map((v) => fmt(v)).join(" and ")), ", mean squared error ",
      h("b", { class: "cb-error", "data-value": error }, error.toFixed(4))]));
  }

  function judge({ limit: threshold }) {
    limit.show(threshold);
    limitLine.setAttribute("d", `M${at(threshold)} 2V90`);
    ownLine.toggleAttribute("hidden", error === null);
    if (error !== null) ownLine.setAttribute("d", `M${at(error)} 2V90`);
    bars.forEach((bar, i) => bar.setAttribute("class", (i + 0.5) * width > threshold ? "cb-above" : ""));
    const false_ = known.filter((digit) => digit.error > threshold).length;
    alarms.replaceChildren("above the threshold: ", h("b", { class: "cb-false", "data-value": false_ / known.length }, `${false_} of ${known.length}`),
      " known digits: false alarms");
    const below = known.filter((digit) => digit.error < error).length / known.length;
    verdict.className = `cb-strange${error > threshold ? " cb-message" : ""}`;
    verdict.replaceChildren(...(error === null ? ["Draw something, or choose below."] : [
      `${error > threshold ? "Strange: " : "Nothing strange: "}the error is larger than that of `,
      h("b", { class: "cb-share", "data-value": below }, `${Math.round(100 * below)} %`), " of the known digits",
      error > errors.largest ? ", beyond the end of the axis." : "."]));
    chart.setAttribute("aria-label", `Histogram of the errors of the known digits; threshold at ${threshold.toFixed(4)}`
      + (error === null ? "" : `, your drawing at ${error.toFixed(4)}`));
  }

  /** What the decoder draws at TILES × TILES places. */
  function drawTiles() {
    const side = TILES * SIDE;
    const values = new Float32Array(side * side);
    for (let r = 0; r < TILES; r++)
      for (let c = 0; c < TILES; c++) {
        const part = [(c + 0.5) / TILES, 1 - (r + 0.5) / TILES];
        decode(part.map((p, axis) => low[axis] + p * (high[axis] - low[axis]))).forEach((v, i) => {
          values[(r * SIDE + Math.floor(i / SIDE)) * side + c * SIDE + (i % SIDE)] = v;
        });
      }
    tiles.show(values, side, side);
  }
  /** The known digits, each as its numeral at its code. */
  function drawPlaces() {
    const context = places.getContext("2d");
    context.font = "600 17px sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const { label, code } of known) {
      const [x, y] = Array.from(code, (v, axis) => (v - low[axis]) / (high[axis] - low[axis]));
      context.fillStyle = `hsl(${36 * label} 75% 45%)`;
      context.fillText(String(label), x * MAP, (1 - y) * MAP);
    }
  }

  return ui.start({ stop: () => cancelAnimationFrame(later) });
}

export default { render };
