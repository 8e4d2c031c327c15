// DigitPlayground: what is drawn is prepared as MNIST was, and a network reads it, layer by layer.
import {
  asMaps, button, bytesOf, clamp, fmt, frame, h, holdHeight, live, MOVES, partBefore, picture, readLayers, runLayers, slider,
  softmax, svg, times,
} from "./kit.js";
import { addStroke, blank, BOX, crop, enlarged, inkBox, PAD, prepare, SIDE, STEP, toBytes } from "./digit_image.js";

const KEYS = ["pixels", "strokes", "scale", "centre", "pen", "unit"];
const LONGEST_ROW = 32; // of the numbers of a vector
const PAUSE = 800; // milliseconds without a change, after which the reading is announced
const [FEWEST, MOST] = [5, 101]; // readings of which the median time is shown

// Drawings to begin with, none of them where MNIST has its digits.
const SKETCHES = {
  "a small 3 in a corner": [{ width: 9, points: [[22, 30], [34, 21], [49, 20], [60, 27], [61, 38], [53, 47], [39, 51],
    [54, 55], [64, 65], [63, 79], [51, 89], [35, 90], [21, 82]] }],
  "a 7 at the side": [{ width: 20, points: [[175, 66], [262, 62], [244, 112], [222, 168], [208, 228]] }],
  "a 0 at the bottom": [{ width: 15, points: [[124, 160], [104, 178], [94, 208], [98, 242], [116, 262], [142, 264], [164, 246],
    [172, 214], [164, 182], [146, 162], [124, 160]] }],
};

// ---------------------------------------------------------------- text

/** The path of a stroke for the eye: through the middles between its points, rounded off at them. */
function pathOf(points) {
  const at = ([x, y]) => `${x} ${y}`;
  const middles = points.slice(1).map(([x, y], k) => [(x + points[k][0]) / 2, (y + points[k][1]) / 2]);
  return [`M${at(points[0])}`, ...middles.map((m, k) => (k ? `Q${at(points[k])} ${at(m)}` : `L${at(m)}`)),
    `L${at(points.at(-1))}`].join("");
}

const named = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;
const percent = (p) => (p > 0.9995 ? "> 99.9 %" : p < 0.0005 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`);

/** What the network says, in words. */
function sentence(probabilities) {
  const [first, second] = probabilities.map((p, digit) => ({ p, digit })).sort((a, b) => b.p - a.p);
  if (first.p >= 0.9) return `It reads ${named(first.digit)}.`;
  if (first.p >= 0.6) return `It reads ${named(first.digit)}, perhaps ${named(second.digit)}.`;
  return `It is not sure: ${named(first.digit)} or ${named(second.digit)}?`;
}

// ---------------------------------------------------------------- the figure

function render({ model, el }) {
  const ui = frame({ model, el, title: "Playground: draw a digit", keys: KEYS, draw });
  const get = (key) => model.get(key);
  const layers = readLayers(get("layers"), [1, SIDE, SIDE]);
  const stages = [{ name: "Input", kind: "input", shape: [1, SIDE, SIDE] }, ...layers];
  const examples = get("examples").map((example) => {
    const bytes = bytesOf(example.pixels);
    const pixels = Array.from({ length: SIDE }, (_, r) => Array.from(bytes.subarray(r * SIDE, (r + 1) * SIDE)));
    return { ...example, pixels, text: JSON.stringify(pixels) };
  });

  /** How a stage is drawn: a picture for each channel, or one picture for a whole vector. */
  function drawn(k) {
    const shape = stages[k].shape;
    if (shape.length === 3) return { pictures: shape[0], rows: shape[1], cols: shape[2] };
    const cols = Math.min(LONGEST_ROW, shape[0]);
    return { pictures: 1, rows: Math.ceil(shape[0] / cols), cols };
  }
  const isVector = (k) => stages[k].shape.length !== 3;
  /** Where a number of a stage, (channel, row, column), is drawn: picture, row, column. */
  const spot = (k, [channel, row, col]) =>
    (isVector(k) ? [0, Math.floor(channel / drawn(k).cols), channel % drawn(k).cols] : [channel, row, col]);

  // ---- the drawing, and what the model holds of it
  let seen = {}; // the values at the last draw
  let inked = { strokes: [], image: blank(PAD, PAD) }; // the strokes that are in the image already
  let latest = {}; // the strokes that were asked for last, and their drawing
  let stroke = null; // the one that is being drawn

  /** The strokes as a picture. Those that were there last time need not be drawn again. */
  function drawingOf(strokes) {
    if (latest.strokes === strokes) return latest.drawing;
    const kept = inked.strokes.every((s, k) => s === strokes[k]);
    if (!kept) inked = { strokes: [], image: blank(PAD, PAD) };
    // The last one may still grow, and is drawn on a copy.
    for (const s of strokes.slice(inked.strokes.length, -1)) { addStroke(inked.image, s); inked.strokes.push(s); }
    const drawing = { ...inked.image, values: inked.image.values.slice() };
    if (strokes.length) addStroke(drawing, strokes.at(-1));
    latest = { strokes, drawing };
    return drawing;
  }
  /** What the network is given when these strokes are on the pad. */
  const pixelsOf = (strokes, scale, centre) =>
    toBytes(prepare(drawingOf(strokes), scale, centre)?.result ?? blank(SIDE, SIDE));
  /** New values, and the pixels that the strokes yield with them. */
  function change(values) {
    const { strokes, scale, centre } = { ...Object.fromEntries(["strokes", "scale", "centre"].map((k) => [k, get(k)])), ...values };
    const given = "strokes" in values || strokes.length > 0; // without strokes the pixels were given, and stay
    ui.set({ ...values, ...(given ? { pixels: pixelsOf(strokes, scale, centre) } : {}) });
  }
  const clear = () => { lift(); change({ strokes: [] }); };
  const undo = () => { lift(); change({ strokes: get("strokes").slice(0, -1) }); };
  /** A line that is still being drawn, from the mouse or from the keyboard, ends. */
  function lift() { stroke = null; pointer = null; }

  // ---- the pad
  let pointer = null;
  let cursor = [6, 13]; // row and column of the pen that the arrow keys move
  let waiting = false;
  const backdrop = picture({ ink: true });
  const lines = svg("g", { class: "cb-ink" });
  const frameOfInk = svg("rect", { class: "cb-inkbox" });
  const pen = svg("circle", { class: "cb-pen" });
  const hint = h("div", { class: "cb-padhint", "aria-hidden": "true" }, "Draw a digit here");
  const pad = h("div", {
    class: "cb-pad", tabindex: "0", role: "application", "data-lm-suppress-shortcuts": "true",
    "aria-label": "Drawing pad. Arrow keys move the pen; Space puts it down and lifts it; Backspace undoes; Delete clears.",
    onpointerdown: pressed, onpointermove: moved, onpointerup: released, onpointercancel: released, onkeydown: typed,
    onblur: () => { lift(); showPen(); }, onfocus: showPen,
  }, backdrop.el, svg("svg", { viewBox: `0 0 ${PAD} ${PAD}`, "aria-hidden": "true" }, lines, frameOfInk, pen), hint);

  function positionOf(event) {
    const box = pad.getBoundingClientRect();
    const within = (v, from, size) => clamp(Math.round((v - from) / size * PAD * 10) / 10, 0, PAD);
    return [within(event.clientX, box.left + 1, box.width - 2), within(event.clientY, box.top + 1, box.height - 2)];
  }
  function pressed(event) {
    if (event.button || pointer !== null) return;
    pointer = event.pointerId;
    pad.setPointerCapture(pointer);
    begin(positionOf(event));
  }
  function moved(event) {
    if (event.pointerId !== pointer || !stroke) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const e of events.length ? events : [event]) extend(positionOf(e));
  }
  function released(event) {
    if (event.pointerId !== pointer) return;
    if (event.type === "pointerup") moved(event);
    lift();
  }
  function begin(point) {
    // A digit that was given goes away as soon as one is drawn.
    stroke = { width: get("pen"), points: [point], earlier: get("strokes") };
    flush();
  }
  /** One more point of the line, unless it is where the last one is. The network reads once for each picture on the screen. */
  function extend(point) {
    const [x, y] = stroke.points.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) < 2) return;
    stroke.points.push(point);
    if (waiting) return;
    waiting = true;
    const now = stroke;
    requestAnimationFrame(() => { waiting = false; flush(now); });
  }
  function flush(now = stroke) {
    if (now.points.length > 1 && get("strokes").length !== now.earlier.length + 1) return; // cleared meanwhile
    change({ strokes: [...now.earlier, { width: now.width, points: now.points.slice() }] });
  }

  function typed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const move = MOVES[event.key];
    const middle = () => [(cursor[1] + 0.5) * STEP, (cursor[0] + 0.5) * STEP];
    if (move) {
      cursor = cursor.map((k, axis) => clamp(k + move[axis], 0, SIDE - 1));
      if (stroke && pointer === null) extend(middle());
    } else if (event.key === " ") {
      if (stroke) lift();
      else begin(middle());
    } else if (event.key === "Escape" && stroke) lift();
    else if (event.key === "Backspace") undo();
    else if (event.key === "Delete") clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
    showPen();
  }
  /** The pen of the keyboard is seen while the pad has the focus by the keyboard. */
  function showPen() {
    pad.classList.toggle("down", Boolean(stroke) && pointer === null);
    const place = { cx: (cursor[1] + 0.5) * STEP, cy: (cursor[0] + 0.5) * STEP, r: get("pen") / 2 };
    for (const [name, value] of Object.entries(place)) pen.setAttribute(name, value);
  }

  const penWidth = slider({ label: "pen", min: 6, max: 40, oninput: (v) => ui.set({ pen: v }) });
  const clearButton = button("Clear", "Clear the pad", clear);
  const undoButton = button("Undo", "Undo the last stroke", undo);
  const left = h("div", { class: "cb-padside" }, pad,
    h("div", { class: "cb-padtools" }, clearButton, undoButton, penWidth.el));

  // ---- what it reads
  const verdict = h("div", { class: "cb-verdict" });
  const truth = h("div", { class: "cb-truth" });
  const bars = Array.from({ length: 10 }, (_, digit) => {
    const fill = h("span", { class: "cb-fill" });
    const number = h("span", { class: "cb-percent" });
    const row = h("div", { class: "cb-bar", role: "listitem" },
      h("b", {}, String(digit)), h("span", { class: "cb-track" }, fill), number);
    return { el: row, fill, number };
  });
  const spoken = live("cb-spoken");
  const right = h("div", { class: "cb-reading" }, verdict, truth,
    h("div", { class: "cb-bars", role: "list", "aria-label": "Probability of each digit" }, bars.map((bar) => bar.el)), spoken);
  let announcement = null;
  const announce = (text) => {
    clearTimeout(announcement);
    announcement = setTimeout(() => { if (spoken.textContent !== text) spoken.textContent = text; }, PAUSE);
  };

  // ---- digits to choose from
  const chooseExample = (example) => { lift(); ui.set({ strokes: [], pixels: structuredClone(example.pixels) }); };
  const thumbs = examples.map((example) => {
    const image = picture({ ink: true });
    const show = () => image.show(example.pixels.flat(), SIDE, SIDE, 255);
    const wrong = example.read !== example.label;
    const text = `Test digit: ${named(example.label)}${wrong ? `, which the network reads as ${named(example.read)}` : ""}`;
    return { el: button(image.el, text, () => chooseExample(example), { class: `cb-thumb${wrong ? " misread" : ""}` }), example, show };
  });
  const sketches = Object.entries(SKETCHES).map(([name, strokes]) => {
    const image = svg("svg", { viewBox: `0 0 ${PAD} ${PAD}`, class: "cb-ink", "aria-hidden": "true" },
      strokes.map((s) => svg("path", { d: pathOf(s.points), "stroke-width": s.width })));
    const use = () => { lift(); change({ strokes: structuredClone(strokes) }); };
    return { el: button(image, `Drawing: ${name}`, use, { class: "cb-thumb" }), text: JSON.stringify(strokes) };
  });
  const gallery = (name, items) => items.length > 0 && h("div", { class: "cb-gallery", role: "group", "aria-label": name },
    h("span", { class: "cb-galleryname" }, name), h("div", { class: "cb-thumbs" }, items.map((item) => item.el)));

  // ---- how the drawing becomes a picture
  const toggle = (key, text) => {
    const box = h("input", { type: "checkbox", onchange: () => change({ [key]: box.checked }) });
    return { el: h("label", { class: "cb-check" }, box, text), box };
  };
  const scale = toggle("scale", `scale to ${BOX} × ${BOX}`);
  const centre = toggle("centre", "centre of mass in the middle");
  const step = (title) => {
    const image = picture({ ink: true });
    const mark = h("span", { class: "cb-part" });
    const text = h("span", { class: "cb-shape" });
    const view = h("div", { class: "cb-view" }, image.el, mark);
    const el = h("figure", { class: "cb-step" }, view, h("figcaption", {}, h("b", {}, title), text));
    return { el, view, image, mark, text };
  };
  const steps = [step("1 Drawing"), step("2 The ink alone"), step("3 Made smaller"), step("4 Put in place")];
  const cross = h("span", { class: "cb-cross" });
  steps[3].view.append(cross);
  const remark = h("div", { class: "cb-remark" });
  const preparation = h("div", { class: "cb-preparation" },
    h("div", { class: "cb-parthead" }, h("b", {}, "Prepared as MNIST was"), scale.el, centre.el),
    h("div", { class: "cb-steps" }, steps.map((s) => s.el)), remark);

  // ---- the layers
  const rows = stages.map((stage, k) => layerRow(stage, k));
  const looked = picture({ ink: true, label: "The picture that the network reads" });
  const field = h("span", { class: "cb-part" });
  const what = h("div", { class: "cb-what" });
  const fieldText = h("div", { class: "cb-fieldtext" });
  const products = h("div", { class: "cb-products" });
  const inspector = h("div", { class: "cb-inspector", role: "group", "aria-label": "One number explained", "aria-live": "polite" },
    h("div", { class: "cb-view" }, looked.el, field), h("div", { class: "cb-explained" }, what, fieldText), products);
  const speed = h("div", { class: "cb-legend" });
  ui.add(h("div", { class: "cb-play-area" }, left, right),
    gallery("Test digits", thumbs), gallery("Drawings of another size, in another place", sketches), preparation,
    h("div", { class: "cb-parthead" }, h("b", {}, "Layer by layer"),
      h("span", { class: "cb-shape" }, "choose a pixel to see what it was computed from")),
    h("div", { class: "cb-network" }, h("div", { class: "cb-layers" }, rows.map((row) => row.el)), inspector), speed);
  const hold = [inspector, right].map(holdHeight);

  function layerRow(stage, k) {
    const { pictures, rows: height, cols: width } = drawn(k);
    const maps = Array.from({ length: pictures }, (_, i) => {
      const image = picture({ ink: k === 0 });
      const part = h("span", { class: "cb-part", hidden: true });
      return { el: h("div", { class: "cb-view", "data-map": i }, image.el, part), image, part };
    });
    const pick = (p, r, c) => {
      if (isVector(k) && r * width + c >= stage.shape[0]) return;
      ui.set({ unit: isVector(k) ? [k, r * width + c, 0, 0] : [k, p, r, c] });
    };
    const pickAt = (event) => {
      const view = event.target.closest("[data-map]");
      if (!view) return;
      const box = view.getBoundingClientRect();
      const cell = (v, from, size, n) => clamp(Math.floor((v - from) / size * n), 0, n - 1);
      pick(Number(view.dataset.map),
        cell(event.clientY, box.top, box.height, height), cell(event.clientX, box.left, box.width, width));
    };
    const walk = (event) => {
      const move = MOVES[event.key];
      if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      const unit = get("unit");
      if (unit[0] !== k) return pick(0, 0, 0);
      let [p, r, c] = spot(k, unit.slice(1));
      [r, c] = [clamp(r + move[0], 0, height - 1), c + move[1]];
      // Beyond the edge of a picture lies the next one, or the next line of a vector.
      if (c < 0 || c >= width) {
        const by = c < 0 ? -1 : 1;
        if (isVector(k)) r += by;
        else p += by;
        if (r < 0 || r >= height || p < 0 || p >= pictures) return;
        c = by < 0 ? width - 1 : 0;
      }
      pick(p, r, c);
    };
    const list = h("div", {
      class: `cb-maps${isVector(k) ? " vector" : ""}`, tabindex: "0", role: "application", "data-lm-suppress-shortcuts": "true",
      "aria-label": `${stage.name}, ${times(...stage.shape)}. The arrow keys choose a number.`,
      onpointermove: (event) => { if (event.pointerType === "mouse" || event.buttons) pickAt(event); },
      onpointerdown: pickAt, onkeydown: walk,
      onfocus: () => { if (get("unit")[0] !== k && list.matches(":focus-visible")) pick(0, 0, 0); },
    }, maps.map((map) => map.el));
    list.style.setProperty("--cb-across", width);
    list.style.setProperty("--cb-pictures", pictures);
    const caption = h("figcaption", {}, h("b", {}, stage.name), h("span", { class: "cb-shape" }, times(...stage.shape)));
    return { el: h("figure", { class: "cb-layer" }, caption, list), maps };
  }

  // ---- drawing it all
  let outputs = null; // of the layers; null while the pad is empty
  let probabilities = null;
  let input = null; // the pixels as the network reads them
  let firstPictures; // what is still to come, to be called off when the figure goes
  let moreReadings;
  const milliseconds = []; // of the last readings

  /** Strokes and pixels belong together. Where Python changed one of them alone, the other follows. */
  function agree() {
    const now = Object.fromEntries(KEYS.map((key) => [key, get(key)]));
    const before = seen;
    // In Jupyter a value may come back from Python as an equal copy.
    const changed = (key) => before[key] !== now[key] && JSON.stringify(before[key]) !== JSON.stringify(now[key]);
    seen = now;
    if (!before.strokes) return; // the first time
    if (changed("pixels") && !changed("strokes") && now.strokes.length && !changed("scale") && !changed("centre")) {
      const own = pixelsOf(now.strokes, now.scale, now.centre);
      if (JSON.stringify(own) !== JSON.stringify(now.pixels)) ui.set({ strokes: [] });
    } else if (!changed("pixels") && ["strokes", "scale", "centre"].some(changed) && now.strokes.length) change({});
  }

  function draw() {
    const before = seen;
    agree();
    const { pixels, strokes } = seen;
    if (before.pixels !== pixels) read(pixels);
    if (before.pixels !== pixels || before.strokes !== strokes) showPad();
    penWidth.show(get("pen"));
    showPen();
    undoButton.disabled = !strokes.length;
    clearButton.disabled = !probabilities;
    scale.box.checked = get("scale");
    centre.box.checked = get("centre");
    hold[1]();
    // At the start there is an answer first; the many pictures follow just before the browser paints.
    if (before.pixels) showPictures(before);
    else firstPictures = requestAnimationFrame(() => {
      for (const thumb of thumbs) thumb.show();
      showPictures({});
      moreReadings = setTimeout(warmUp, PAUSE);
    });
  }

  /** All pictures but that on the pad, as far as something has changed since `before`. */
  function showPictures(before) {
    if (before.pixels !== seen.pixels) showLayers();
    if (["strokes", "pixels", "scale", "centre"].some((key) => before[key] !== seen[key])) showPreparation();
    if (before.pixels !== seen.pixels || before.unit !== seen.unit) explain();
    hold[0](unitNow()[0]);
  }

  function read(pixels) {
    input = Float32Array.from(pixels.flat(), (v) => v / 255);
    const empty = input.every((v) => v === 0);
    outputs = empty ? null : compute();
    probabilities = empty ? null : softmax(outputs.at(-1));
    showSpeed();
    const best = empty ? -1 : probabilities.indexOf(Math.max(...probabilities));
    bars.forEach((bar, digit) => {
      const p = empty ? 0 : probabilities[digit];
      bar.el.classList.toggle("best", digit === best);
      bar.fill.style.width = `${100 * p}%`;
      bar.number.textContent = empty ? "–" : percent(p);
      bar.el.setAttribute("aria-label", empty ? `${digit}: no drawing yet` : `${digit}: ${percent(p)}`);
      if (empty) delete bar.el.dataset.value;
      else bar.el.dataset.value = p;
    });
    const text = JSON.stringify(pixels);
    const example = examples.find((e) => e.text === text);
    verdict.textContent = empty ? "Nothing to read yet." : sentence(probabilities);
    truth.textContent = empty ? "Draw one, or choose one below."
      : example ? `The test set says ${named(example.label)}: ${example.label === best ? "right." : "wrong."}` : "";
    truth.classList.toggle("wrong", Boolean(example) && example.label !== best);
    announce(`${verdict.textContent} ${empty ? "" : percent(probabilities[best])} ${truth.textContent}`);
    for (const thumb of thumbs) thumb.el.setAttribute("aria-pressed", thumb.example === example);
  }

  /** The outputs of all layers; and takes the time. */
  function compute() {
    const started = performance.now();
    const result = runLayers(layers, input);
    const time = performance.now() - started;
    milliseconds.push(time);
    if (milliseconds.length > MOST) milliseconds.shift();
    speed.dataset.ms = time;
    return result;
  }
  /** The first reading is slow, because the browser has not translated the code yet: some more, so that there is a median. */
  function warmUp() {
    if (!outputs) return;
    while (milliseconds.length < FEWEST) compute();
    showSpeed();
  }
  function showSpeed() {
    const middle = milliseconds.slice().sort((a, b) => a - b)[Math.floor(milliseconds.length / 2)];
    speed.textContent = `blue: above zero · orange: below zero · the ${layers.length} layers are computed here, in your browser`
      + (milliseconds.length < FEWEST ? "" : `, in ${fmt(middle, 1)} ms (median of ${milliseconds.length} readings)`);
  }

  function showLayers() {
    stages.forEach((stage, k) => {
      const { pictures, rows: height, cols: width } = drawn(k);
      const values = outputs?.[k] ?? [];
      const full = k === 0 ? 1 : values.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-12);
      const each = height * width;
      for (let i = 0; i < pictures; i++) rows[k].maps[i].image.show(values.slice(i * each, (i + 1) * each), height, width, full);
    });
    looked.show(input, SIDE, SIDE);
  }

  function showPad() {
    const { strokes, pixels } = seen;
    lines.replaceChildren(...strokes.map((s) => svg("path", { d: pathOf(s.points), "stroke-width": s.width })));
    backdrop.el.hidden = strokes.length > 0;
    backdrop.show(pixels.flat(), SIDE, SIDE, 255);
    hint.hidden = strokes.length > 0 || Boolean(probabilities);
  }

  function showPreparation() {
    const { strokes, pixels } = seen;
    const flat = pixels.flat();
    const text = JSON.stringify(strokes);
    for (const sketch of sketches) sketch.el.setAttribute("aria-pressed", sketch.text === text);
    const drawing = strokes.length ? drawingOf(strokes) : enlarged(pixels);
    let made = prepare(drawing, seen.scale, seen.centre);
    const asIs = !strokes.length && made; // given pixel by pixel; MNIST's digits are left as they are by all steps
    if (asIs && JSON.stringify(toBytes(made.result)) !== JSON.stringify(pixels)) made = null;
    frameOfInk.toggleAttribute("hidden", !made);
    cross.hidden = !made || !seen.centre;
    steps.forEach((s) => s.el.classList.toggle("unused", !made));
    steps.forEach((s) => { s.mark.hidden = true; s.text.textContent = ""; });
    steps[3].image.show(flat, SIDE, SIDE, 255);
    steps[3].el.classList.remove("unused");
    steps[3].text.textContent = times(SIDE, SIDE);
    if (!made) {
      for (const s of steps.slice(0, 3)) s.image.show([], SIDE, SIDE);
      remark.textContent = asIs ? "This picture was given pixel by pixel, and goes into the network as it is." : "";
      return;
    }
    const { box, small } = made;
    const corners = { x: box.left, y: box.top, width: box.cols, height: box.rows };
    for (const [name, value] of Object.entries(corners)) frameOfInk.setAttribute(name, value);
    steps[0].image.show(drawing.values, PAD, PAD);
    steps[0].text.textContent = times(PAD, PAD);
    cover(steps[0].mark, [box.top, box.top + box.rows - 1], [box.left, box.left + box.cols - 1], PAD, PAD);
    // The ink alone, as large as it gets.
    const size = Math.max(box.rows, box.cols);
    const ink = crop(drawing, box);
    steps[1].image.show(...inSquare(ink, size));
    steps[1].text.textContent = times(box.rows, box.cols);
    // In a box of 20 × 20, or as it lies in the whole.
    const side = seen.scale ? BOX : SIDE;
    steps[2].image.show(...inSquare(small, side));
    steps[2].text.textContent = times(small.rows, small.cols);
    const at = inkBox({ rows: SIDE, cols: SIDE, values: flat });
    if (at) cover(steps[3].mark, [at.top, at.top + at.rows - 1], [at.left, at.left + at.cols - 1], SIDE, SIDE);
    steps[3].mark.hidden = !at;
    remark.textContent = asIs ? "A digit of MNIST went through these steps long ago: they leave it as it is, pixel by pixel. "
      + "Draw one of your own, or take one of the drawings above." : [
      seen.scale ? `The longer side of the ink becomes ${BOX} pixels; each pixel is the average of what it covers.`
        : "Not scaled: every pixel is the average of 10 × 10 cells of the pad, and a small digit stays small.",
      seen.centre ? "Its centre of mass (the cross) comes to lie in the middle." : "Not centred: it stays where it was drawn.",
      seen.scale && seen.centre ? "" : "The network has never seen such digits in training.",
    ].filter(Boolean).join(" ");
  }
  /** A picture in the middle of a square of `size`, as `picture.show` wants it. */
  function inSquare(image, size) {
    const values = new Float32Array(size * size);
    const [top, leftmost] = [Math.floor((size - image.rows) / 2), Math.floor((size - image.cols) / 2)];
    image.values.forEach((v, i) => { values[(top + Math.floor(i / image.cols)) * size + leftmost + (i % image.cols)] = v; });
    return [values, size, size];
  }
  /** Lays a frame over a part of a picture, from the first to the last of the indices that are given. */
  function cover(mark, down, across, height, width) {
    mark.hidden = false;
    const percentages = { top: down[0] / height, left: across[0] / width,
      height: (down.at(-1) - down[0] + 1) / height, width: (across.at(-1) - across[0] + 1) / width };
    for (const [name, part] of Object.entries(percentages)) mark.style[name] = `${100 * part}%`;
  }

  // ---- one number explained
  function unitNow() {
    const k = clamp(get("unit")[0], 0, stages.length - 1);
    const shape = asMaps(stages[k].shape);
    return [k, ...get("unit").slice(1).map((v, axis) => clamp(v, 0, shape[axis] - 1))];
  }

  function explain() {
    const [k, channel, row, col] = unitNow();
    // The part of each earlier stage that this number depends on.
    const parts = [];
    parts[k] = { channels: [channel], rows: [row], cols: [col] };
    for (let i = k; i > 0; i--) parts[i - 1] = partBefore(layers[i - 1], parts[i]);
    stages.forEach((stage, i) => {
      const { rows: height, cols: width } = drawn(i);
      rows[i].maps.forEach((map, p) => {
        const part = parts[i];
        const touched = part?.rows.length && part.cols.length && (isVector(i) || part.channels.includes(p));
        map.part.hidden = !touched;
        map.part.classList.toggle("here", i === k);
        map.part.classList.toggle("next", i === k - 1);
        if (!touched) return;
        if (!isVector(i)) cover(map.part, part.rows, part.cols, height, width);
        else if (part.channels.length > 1) cover(map.part, [0, height - 1], [0, width - 1], height, width);
        else {
          const [, r, c] = spot(i, [part.channels[0], 0, 0]);
          cover(map.part, [r], [c], height, width);
        }
      });
    });
    const { rows: down, cols: across } = parts[0];
    const [r0, r1, c0, c1] = [down[0], down.at(-1), across[0], across.at(-1)];
    field.hidden = !down.length || !across.length; // a window that lies in the padding altogether
    if (!field.hidden) cover(field, down, across, SIDE, SIDE);
    field.dataset.rows = down.join(" ");
    field.dataset.cols = across.join(" ");
    const all = down.length + across.length === 2 * SIDE;
    fieldText.textContent = k === 0 ? "" : field.hidden ? "It depends on no pixel." : all ? "It depends on all pixels."
      : `It depends on ${times(down.length, across.length)} of the ${times(SIDE, SIDE)} pixels: `
        + `rows ${r0}–${r1}, columns ${c0}–${c1}.`;
    const values = outputs?.[k];
    const [channels, height, width] = asMaps(stages[k].shape);
    const index = (channel * height + row) * width + col;
    const where = isVector(k) ? `number ${channel}` : `${channels > 1 ? `channel ${channel}, ` : ""}row ${row}, column ${col}`;
    what.replaceChildren(h("span", { class: "cb-shape" }, `${stages[k].name}, ${where}`),
      values ? h("b", { class: "cb-result", "data-value": values[index] }, fmt(values[index], 3))
        : h("span", { class: "cb-result" }, "–"));
    products.replaceChildren(...(values && k ? madeOf(layers[k - 1], outputs[k - 1], [channel, row, col], values[index]) : []));
  }

  /** How a layer makes one number: what it reads, as pictures, times its weights, as pictures below. */
  function madeOf(layer, x, [channel, row, col], value) {
    const { kind } = layer;
    const [, hx, wx] = asMaps(layer.from);
    const line = (...text) => h("div", { class: "cb-howmade" }, text);
    if (kind === "relu") {
      const given = x[(channel * hx + row) * wx + col];
      return [line(given > 0 ? `${fmt(given, 3)} is above zero and passes.` : `${fmt(given, 3)} is not above zero, and becomes 0.`)];
    }
    if (kind === "flatten") return [line("The same number, in a row with all others.")];
    const weighs = kind === "conv" || kind === "linear";
    // A linear layer behind Flatten reads the maps in front of it: its weights look best in their form.
    const before = layers[layers.indexOf(layer) - 1];
    const form = kind === "linear" && before?.kind === "flatten" && before.from.length === 3 ? before.from : null;
    let [maps, height, width] = [kind === "conv" ? layer.from[0] : 1, 1, 1];
    let at; // where the value (map, r, c) of what it reads lies in x; undefined in the padding
    if (kind === "linear" && form) {
      [maps, height, width] = form;
      at = (m, r, c) => (m * height + r) * width + c;
    } else if (kind === "linear") {
      [maps, width] = [1, Math.min(LONGEST_ROW / 2, x.length)];
      height = Math.ceil(x.length / width);
      at = (m, r, c) => (r * width + c < x.length ? r * width + c : undefined);
    } else {
      [height, width] = layer.kernel;
      at = (m, r, c) => {
        const y = row * layer.stride[0] + r * layer.dilation[0] - layer.padding[0][0];
        const left = col * layer.stride[1] + c * layer.dilation[1] - layer.padding[1][0];
        const map = kind === "conv" ? m : channel;
        return y >= 0 && y < hx && left >= 0 && left < wx ? (map * hx + y) * wx + left : undefined;
      };
    }
    const fullX = Math.max(1e-12, ...x.map(Math.abs));
    const count = maps * height * width;
    const weights = weighs ? layer.weights.subarray(channel * (layer.weights.length / layer.shape[0])) : null;
    const fullW = weights ? Math.max(1e-12, ...weights.subarray(0, count).map(Math.abs)) : 1;
    const pairs = Array.from({ length: maps }, (_, m) => {
      const cells = Array.from({ length: height * width }, (__, i) => at(m, Math.floor(i / width), i % width));
      const patch = picture();
      patch.show(cells.map((i) => x[i] ?? 0), height, width, fullX);
      if (!weighs) return h("div", { class: "cb-pairing" }, patch.el);
      const filter = picture();
      const from = m * height * width;
      filter.show(weights.subarray(from, from + height * width), height, width, fullW);
      return h("div", { class: "cb-pairing" }, patch.el, filter.el);
    });
    const numbers = kind === "linear" ? x.length : count;
    const bias = layer.bias?.[channel] ?? 0;
    const text = kind === "max" ? `The largest of ${count} numbers.` : kind === "average" ? `The average of ${count} numbers.`
      : `What it reads, times its weights (${maps === 1 ? "on the right" : "below"}): ${numbers} products, which add up to `
        + `${fmt(value - bias, 3)}${layer.bias ? `. With the bias of ${fmt(bias, 3)} this makes ${fmt(value, 3)}` : ""}.`;
    const box = h("div", { class: "cb-pairs", "aria-hidden": "true" }, pairs);
    box.style.setProperty("--cb-pairs", maps <= 4 ? maps : 8);
    box.style.setProperty("--cb-pairs-wide", maps <= 4 ? maps : maps <= 8 ? 4 : 8);
    box.classList.toggle("single", maps === 1);
    return [box, line(text)];
  }

  const stop = ui.start();
  return () => {
    clearTimeout(announcement);
    clearTimeout(moreReadings);
    cancelAnimationFrame(firstPictures);
    stop();
  };
}

export default { render };
