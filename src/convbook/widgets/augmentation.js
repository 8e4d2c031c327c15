// AugmentationExplorer: one picture changed as data augmentation changes it, the matrix behind it,
// and random draws.
import { invertAffine, matmul, sourceOf, transformPicture } from "./kit/affine.js";
import { build, clamp } from "./kit/arithmetic.js";
import { checkbox, choice, slider } from "./kit/controls.js";
import { after, button, h, live, svg } from "./kit/elements.js";
import { times } from "./kit/formula.js";
import { frame, holdHeight } from "./kit/frame.js";
import { matrix } from "./kit/matrix.js";
import { arrow, cellAt } from "./kit/pointing.js";
import { seededRandom } from "./kit/random.js";
import { fmt } from "./kit/text.js";
import "./augmentation.css";

const PLAIN = {
  flip_h: false, flip_v: false, zoom: 1, shear_x: 0, shear_y: 0, rotate: 0, shift_x: 0, shift_y: 0, brightness: 1,
  cutout: 0, cutout_x: 50, cutout_y: 50,
};
const KEYS = [...Object.keys(PLAIN), "picture", "mode", "drawn", "seed", "grid", "row", "col"];
const NAMES = { cat: "a cat", stars: "the deep sky", six: "the digit 6" };
const EDGES = { zero: "zeros (black)", edge: "the edge, repeated", reflect: "the picture, mirrored" };
const DRAWS = 12;
const MARGIN = 1 / 8; // room around a picture for the outline that leaves it

// What is drawn at random: [name, range in words, its value from random numbers from 0 to 1].
const within = (low, high, u, digits = 2) => Number((low + u * (high - low)).toFixed(digits));
const RANGES = {
  flip_h: ["flip ↔", "every other one", (u) => ({ flip_h: u < 0.5 })],
  flip_v: ["flip ↕", "every other one", (u) => ({ flip_v: u < 0.5 })],
  zoom: ["zoom", "× 0.8 to 1.25", (u) => ({ zoom: Number(Math.exp(within(Math.log(0.8), Math.log(1.25), u, 9)).toFixed(2)) })],
  rotate: ["rotate", "± 15°", (u) => ({ rotate: within(-15, 15, u, 0) })],
  shear_x: ["shear →", "± 0.2", (u) => ({ shear_x: within(-0.2, 0.2, u) })],
  shear_y: ["shear ↓", "± 0.2", (u) => ({ shear_y: within(-0.2, 0.2, u) })],
  shift: ["shift", "± 10 %", (u, v) => ({ shift_x: within(-10, 10, u, 0), shift_y: within(-10, 10, v, 0) })],
  brightness: ["brightness", "× 0.7 to 1.3", (u) => ({ brightness: within(0.7, 1.3, u) })],
  cutout: ["cutout", "30 %, anywhere", (u, v) => ({ cutout: 30, cutout_x: within(0, 100, u, 0), cutout_y: within(0, 100, v, 0) })],
};
const SLIDERS = {
  zoom: { label: "zoom", min: 0.5, max: 2, step: 0.01, text: (v) => `× ${fmt(v)}` },
  rotate: { label: "rotate", min: -180, max: 180, text: (v) => `${fmt(v)}°` },
  shear_x: { label: "shear →", min: -0.5, max: 0.5, step: 0.01 },
  shear_y: { label: "shear ↓", min: -0.5, max: 0.5, step: 0.01 },
  shift_x: { label: "shift →", min: -50, max: 50, text: (v) => `${fmt(v)} %` },
  shift_y: { label: "shift ↓", min: -50, max: 50, text: (v) => `${fmt(v)} %` },
  brightness: { label: "brightness", min: 0, max: 2, step: 0.01, text: (v) => `× ${fmt(v)}` },
  cutout: { label: "cutout", min: 0, max: 80, text: (v) => `${fmt(v)} %` },
  cutout_x: { label: "cutout →", min: 0, max: 100, text: (v) => `${fmt(v)} %` },
  cutout_y: { label: "cutout ↓", min: 0, max: 100, text: (v) => `${fmt(v)} %` },
};

/**
 * The settings of the random pictures. All numbers are always taken, so that a switch changes its
 * own kind only.
 */
function randomSettings(seed, drawn) {
  const random = seededRandom(seed);
  return Array.from({ length: DRAWS }, () => {
    const settings = { ...PLAIN };
    for (const [name, [, , draw]] of Object.entries(RANGES)) {
      const values = draw(random(), random());
      if (drawn.includes(name)) Object.assign(settings, values);
    }
    return settings;
  });
}

/** The factors of the matrix; the one that comes first stands last. */
function factorsOf(settings, { width, height }) {
  const angle = settings.rotate / 180 * Math.PI;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return {
    shift: [[1, 0, settings.shift_x / 100 * width], [0, 1, settings.shift_y / 100 * height], [0, 0, 1]],
    rotate: [[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]],
    shear: [[1, settings.shear_x, 0], [settings.shear_y, 1, 0], [0, 0, 1]],
    zoom: [[settings.zoom, 0, 0], [0, settings.zoom, 0], [0, 0, 1]],
    flip: [[settings.flip_h ? -1 : 1, 0, 0], [0, settings.flip_v ? -1 : 1, 0], [0, 0, 1]],
  };
}
const productOf = (factors) => Object.values(factors).reduce(matmul);

/** The changed picture on a canvas. */
function paint(canvas, picture, settings, mode) {
  const { width, height } = picture;
  const { data } = transformPicture(picture, productOf(factorsOf(settings, picture)), mode, settings.brightness);
  const edge = (centre, sign) => Math.max(0, Math.floor(centre / 100 * height + sign * (settings.cutout / 100 * height) / 2 + 0.5));
  for (let row = edge(settings.cutout_y, -1); row < Math.min(height, edge(settings.cutout_y, 1)); row++)
    for (let col = edge(settings.cutout_x, -1); col < Math.min(width, edge(settings.cutout_x, 1)); col++)
      data.fill(0, 4 * (row * width + col), 4 * (row * width + col) + 3);
  putPixels(canvas, { width, height, data });
}

function putPixels(canvas, { width, height, data }) {
  if (canvas.width !== width) [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d").putImageData(new ImageData(Uint8ClampedArray.from(data), width, height), 0, 0);
  canvas.dataset.painted = "true";
}

/** The settings in words, without what changes nothing. */
function inWords(settings) {
  const words = Object.entries(settings).filter(([key, value]) => value !== PLAIN[key] && !key.startsWith("cutout_"))
    .map(([key, value]) => (value === true ? `${key === "flip_h" ? "left and right" : "above and below"} swapped`
      : `${SLIDERS[key].label} ${(SLIDERS[key].text ?? fmt)(value)}`));
  return words.length ? words.join(", ") : "unchanged";
}

const SLANT = 30; // degrees up to which hands write, and cameras are held, a little slanted

/**
 * Whether the changed picture could come from where the others come from: a sentence, and whether
 * it is a warning.
 */
function verdict(name, { brightness, cutout, zoom, shift_x, shift_y }, m) {
  const [[a, b], [c, d]] = m;
  const mirrored = a * d - b * c < 0;
  const tilt = Math.abs(Math.atan2(b, d)) / Math.PI * 180; // how far "up" has turned
  const left = Math.max(0, 1 - Math.abs(shift_x) / 100) * Math.max(0, 1 - Math.abs(shift_y) / 100);
  if (brightness < 0.15 || cutout > 70)
    return ["There is hardly anything left to see: no label can be learnt from this.", true];
  if (left < 0.6)
    return [`Hardly: of what the picture shows, ${fmt(100 * left, 0)} % is left in the frame. Is the label still true of that?`, true];
  if (name === "six" && !mirrored && tilt > 120)
    return ["No: it now reads as a 9, but its label still says 6. This would teach the network a mistake.", true];
  if (name === "six" && mirrored)
    return ["No: a mirrored 6 is no digit at all. Nobody writes it, and no test will ask for it.", true];
  if (name === "cat" && tilt > 90)
    return ["No: photographs of cats are hardly ever upside down. The network would learn what it never meets.", true];
  if (name === "six" && tilt > 60) return ["Hardly: a digit that lies on its side is neither 6 nor 9 to a reader.", true];
  if (name === "six" && tilt > SLANT) return ["Doubtful: many people write a little slanted, but who writes like this?", true];
  if (name === "cat" && tilt > SLANT) return ["Hardly: few photographs are tilted so far.", true];
  if (name !== "stars" && (zoom > 1.8 || zoom < 0.6))
    return [`Doubtful: do your data show ${name === "six" ? "digits" : "cats"} as large, or as small, as this?`, true];
  if (brightness > 1.6 && name !== "six")
    return ["Doubtful: light places have run together into white. Are there such pictures among your data?", true];
  if (brightness < 0.5) return ["Doubtful: are there pictures as dark as this among your data?", true];
  if (name === "stars")
    return ["Yes. In the sky no direction is up: turned or flipped any way, it could have been photographed just so.", false];
  if (name === "six") return ["Yes: somebody could have written this 6. Now flip it, both ways at once.", false];
  return [`Yes: ${mirrored ? "a cat's mirror image" : "this"} could be a photograph, too, and it is still a cat.`, false];
}

/** The pixels of a stored picture, as a canvas has them. */
async function pixelsOf({ url, width, height }) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = h("canvas", { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, width, height).data;
}

/** A picture with room around it for lines: {el, canvas, lines, pixelAt(event)}. */
function easel(symbol, label, text) {
  const canvas = h("canvas", { role: "img", "aria-label": label });
  const lines = svg("svg", { "aria-hidden": "true" });
  const shape = h("span", { class: "cb-shape" });
  const board = h("div", { class: "cb-easel" }, canvas, lines);
  return {
    el: h("figure", { class: "cb-aug-picture" }, h("figcaption", {}, h("b", {}, symbol), ` ${text} `, shape), board),
    canvas,
    board,
    show(shapes, { channels, width, height }) {
      shape.textContent = times(channels, height, width);
      lines.setAttribute("viewBox", `${-MARGIN * width} ${-MARGIN * height} ${(1 + 2 * MARGIN) * width} ${(1 + 2 * MARGIN) * height}`);
      lines.replaceChildren(...shapes);
    },
  };
}

function render({ model, el }) {
  // Everything works while a picture is still being read; it is shown as soon as it is there.
  const pictures = Object.fromEntries(Object.entries(model.get("pictures")).map(([name, { channels, width, height }]) =>
    [name, { channels, width, height, data: null }]));
  let alive = true;
  const read = async (name) => {
    pictures[name].data = await pixelsOf(model.get("pictures")[name]);
    if (alive && name === get("picture")) draw();
  };
  const ui = frame({ model, el, title: "Augmentation: one picture, many pictures", keys: KEYS, draw });
  const get = (key) => model.get(key);
  const settingsNow = () => Object.fromEntries(Object.keys(PLAIN).map((key) => [key, get(key)]));
  const picture = () => pictures[get("picture")];

  const which = choice({
    label: "picture", options: NAMES,
    onchange: (name) => {
      const scale = pictures[name].width / picture().width;
      const [row, col] = pickedPixel().map((k) => Math.floor(k * scale));
      ui.set({ picture: name, row, col });
    },
  });
  const outside = choice({ label: "outside it", options: EDGES, onchange: (mode) => ui.set({ mode }) });
  const toggle = (key, text, label) => button(text, label, () => ui.set({ [key]: !get(key) }), { "data-key": key });
  const grid = toggle("grid", "grid", "Lines that show how the plane is moved");
  const flips = [toggle("flip_h", "flip ↔", "Swap left and right"), toggle("flip_v", "flip ↕", "Swap above and below")];
  const upsideDown = button("upside down", "Turn it upside down: both flips", () => ui.set({ ...PLAIN, flip_h: true, flip_v: true }));
  const plain = button("unchanged", "Undo all changes of the picture", () => ui.set(PLAIN));
  const sliders = Object.fromEntries(Object.entries(SLIDERS).map(([key, options]) =>
    [key, slider({ ...options, oninput: (v) => ui.set({ [key]: v }) })]));

  for (const [key, s] of Object.entries(sliders)) {
    s.input.dataset.key = key;
    s.input.setAttribute("aria-label", SLIDERS[key].label);
  }

  const before = easel("X", "", "the picture");
  const result = easel("Y", "", "the result");
  const M = matrix({ symbol: "M", label: "Matrix M" });
  const factors = Object.fromEntries(["shift", "rotate", "shear", "zoom", "flip"].map((name) =>
    [name, matrix({ symbol: name, label: `Matrix of ${name}` })]));
  const source = live("cb-aug-source");
  const answer = h("span");
  const question = h("div", { class: "cb-aug-question", role: "status" },
    h("b", {}, "Is it still from the same distribution? "), answer);
  const more = button(`Draw ${DRAWS} others`, `Draw ${DRAWS} other random pictures`, () => ui.set({ seed: get("seed") % 9999 + 1 }));
  const seed = h("span", { class: "cb-shape" });
  const switches = Object.fromEntries(Object.entries(RANGES).map(([name, [text, range]]) => {
    return [name, checkbox({
      text: [h("span", {}, text), h("span", { class: "cb-shape" }, range)], "data-key": name,
      onchange: (on) => ui.set({ drawn: Object.keys(RANGES).filter((n) => (n === name ? on : get("drawn").includes(n))) }),
    })];
  }));
  const thumbs = Array.from({ length: DRAWS }, () => {
    const canvas = h("canvas");
    return { canvas, el: h("button", { type: "button", class: "cb-aug-thumb" }, canvas) };
  });
  thumbs.forEach((thumb) => thumb.el.addEventListener("click", () => ui.set(JSON.parse(thumb.el.dataset.settings))));

  const lost = h("span", { "aria-live": "polite" });

  const formula = h("div", { class: "cb-stage cb-aug-matrices" }, M.el,
    Object.values(factors).map((m, i) => after(i ? "·" : "=", m.el)));
  ui.add(
    h("div", { class: "cb-aug-choices" }, which.el, outside.el, grid),
    h("div", { class: "cb-aug-pictures" }, before.el, result.el),
    h("div", { class: "cb-legend" }, "Orange: the frame of X, its upper edge thick. Blue, dashed: the part of X that Y shows."),
    question, source,
    h("div", { class: "cb-aug-choices" }, flips, upsideDown, plain),
    h("div", { class: "cb-controls cb-aug-sliders" }, Object.values(sliders).map((s) => s.el)),
    h("div", { class: "cb-aug-matrixbox" }, formula,
      h("div", { class: "cb-legend" }, "What is done first stands last: flip, zoom, shear, rotate, shift. Lengths in pixels from the centre, y downwards.")),
    h("div", { class: "cb-aug-random" },
      h("div", { class: "cb-aug-choices" }, h("b", {}, "At random"), more, seed),
      h("div", { class: "cb-aug-switches", role: "group", "aria-label": "What is drawn at random" }, Object.values(switches).map((s) => s.el)),
      h("div", { class: "cb-aug-thumbs" }, thumbs.map((t) => t.el)),
      h("div", { class: "cb-legend" }, "Choose one to see it large, with its matrix. ", lost)),
  );
  const hold = holdHeight(question, source);

  // The pixel of the result whose source is shown: by pointer, or with the arrow keys.
  const pickedPixel = () => {
    const { width, height } = picture();
    return get("row") < height && get("col") < width ? [get("row"), get("col")] : [height >> 2, width >> 1];
  };
  const pick = (row, col) => {
    const { width, height } = picture();
    ui.set({ row: clamp(row, 0, height - 1), col: clamp(col, 0, width - 1) });
  };
  const point = (event) => pick(...cellAt(event, result.canvas, picture().height, picture().width));
  Object.assign(result.board.dataset, { lmSuppressShortcuts: "true" });
  for (const [name, value] of Object.entries({ tabindex: "0", role: "group", "aria-label": "Result: the arrow keys choose a pixel" }))
    result.board.setAttribute(name, value);
  result.board.addEventListener("pointerdown", point);
  result.board.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse" || event.buttons) point(event); });
  result.board.addEventListener("keydown", (event) => {
    const move = arrow(event);
    if (!move) return;
    const step = picture().width > 100 && !event.shiftKey ? 4 : 1;
    const [row, col] = pickedPixel();
    pick(row + step * move[0], col + step * move[1]);
  });

  let shownDraws = "";
  let waiting = null;
  function draw() {
    const now = settingsNow();
    const [name, mode, drawn] = ["picture", "mode", "drawn"].map(get);
    const parts = factorsOf(now, picture());
    const m = productOf(parts);
    which.show(name);
    outside.show(mode);
    for (const key of ["grid", "flip_h", "flip_v"])
      [grid, ...flips].find((b) => b.dataset.key === key).setAttribute("aria-pressed", get(key));
    for (const [key, s] of Object.entries(sliders)) {
      s.show(now[key], { min: Math.min(SLIDERS[key].min, now[key]), max: Math.max(SLIDERS[key].max, now[key]) });
      s.input.disabled = key.startsWith("cutout_") && !now.cutout;
    }
    M.show(m, { scale: 1 });
    for (const [key, table] of Object.entries(factors)) {
      table.show(parts[key], { scale: 1 });
      table.el.classList.toggle("still", parts[key].every((line, r) => line.every((v, c) => v === Number(r === c))));
    }

    ui.tools.closest(".cb").dataset.picture = name;
    if (picture().data) {
      putPixels(before.canvas, picture());
      paint(result.canvas, picture(), now, mode);
    }
    before.canvas.setAttribute("aria-label", `${NAMES[name]}, unchanged`);
    result.canvas.setAttribute("aria-label", `${NAMES[name]}: ${inWords(now)}`);
    drawLines(m, picture());

    const [sentence, bad] = verdict(name, now, m);
    answer.textContent = sentence;
    question.classList.toggle("bad", bad);
    for (const [key, box] of Object.entries(switches)) box.show(drawn.includes(key));
    seed.textContent = `seed ${get("seed")}`;
    hold(name);
    const wanted = JSON.stringify([name, mode, drawn, get("seed")]);
    if (picture().data && wanted !== shownDraws) {
      shownDraws = wanted;
      clearTimeout(waiting);
      waiting = setTimeout(drawThumbs); // after the large picture
    }
  }
  function drawThumbs() {
    let count = 0;
    randomSettings(get("seed"), get("drawn")).forEach((settings, i) => {
      const { canvas, el: thumb } = thumbs[i];
      paint(canvas, picture(), settings, get("mode"));
      const [, bad] = verdict(get("picture"), settings, productOf(factorsOf(settings, picture())));
      count += bad;
      thumb.classList.toggle("bad", bad);
      thumb.dataset.settings = JSON.stringify(settings);
      const label = `Take this one: ${inWords(settings)}`;
      thumb.setAttribute("aria-label", label);
      thumb.title = label;
    });
    lost.textContent = count ? `Struck through: ${count} of ${DRAWS} that do not belong to the distribution.` : "";
  }
  function drawLines(m, { channels, width, height }) {
    const inverse = invertAffine(m);
    const moved = (by) => ([x, y]) => [0, 1].map((i) => by[i][0] * x + by[i][1] * y + by[i][2] + [width, height][i] / 2);
    const still = moved([[1, 0, 0], [0, 1, 0], [0, 0, 1]]);
    const path = (points, cls, closed = false) =>
      svg("path", { class: cls, d: `M${points.map((p) => p.map((v) => v.toFixed(3)).join(" ")).join("L")}${closed ? "Z" : ""}` });
    const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([x, y]) => [x * width / 2, y * height / 2]);
    // A frame whose upper edge is drawn thick, so that turns and flips can be seen.
    const outline = (to, cls) => [path(corners.map(to), cls, true), path(corners.slice(0, 2).map(to), `${cls} top`)];
    const net = (to) => (get("grid") ? build(2, 9, (axis, k) => {
      const at = [-1, 1].map((end) => [end * width / 2, (k / 8 - 0.5) * height]);
      return path(at.map(([x, y]) => to(axis ? [y / height * width, x / width * height] : [x, y])), "cb-aug-net");
    }).flat() : []);
    const [row, col] = pickedPixel();
    const from = sourceOf(inverse, { width, height }, row, col, get("mode"));
    const ring = (r, c) => [3.4, 2].map((weight, i) =>
      svg("circle", { class: `cb-aug-ring${i ? " inner" : ""}`, cx: c + 0.5, cy: r + 0.5, r: width * 0.028, "stroke-width": weight }));
    before.show([...net(still), ...outline(moved(inverse), "cb-aug-seen"), ...ring(from.row, from.col)], { channels, width, height });
    result.show([...net(moved(m)), ...outline(moved(m), "cb-aug-frame"), ...ring(row, col)], { channels, width, height });
    const terms = from.pixels.filter(({ weight }) => weight > 0.0005)
      .map(({ r, c, weight }) => `${fmt(weight, 3)} · ${r < 0 ? "0" : `x[${r}, ${c}]`}`);
    const place = (v) => fmt(v, Number.isInteger(v) ? 0 : 2);
    source.replaceChildren(
      h("div", {}, `The pixel in row ${row}, column ${col} of Y asks M⁻¹ where it was: row ${place(from.row)}, column ${place(from.col)} of X.`),
      h("div", { class: "cb-aug-sum" }, `y[${row}, ${col}] = `, terms.map((term, i) => [i ? " + " : "", h("span", { class: "cb-nowrap" }, term)])),
    );
  }

  const stop = ui.start({ stop: () => { alive = false; clearTimeout(waiting); } });
  for (const name of Object.keys(pictures)) read(name);
  return stop;
}

export default { render };
