// DigitPlayground: what is drawn is prepared as MNIST was, and a network reads it, layer by layer.
import { clamp } from "./kit/arithmetic.js";
import { h } from "./kit/elements.js";
import { frame, holdHeight } from "./kit/frame.js";
import { asMaps, partBefore, readLayers, runLayers, softmax } from "./kit/network.js";
import { fmt } from "./kit/text.js";
import { SIDE } from "./playground/digit_image.js";
import { galleries } from "./playground/gallery.js";
import { inspector } from "./playground/inspector.js";
import { layerPictures } from "./playground/layers.js";
import { drawingPad } from "./playground/pad.js";
import { preparation } from "./playground/preparation.js";
import { reading } from "./playground/reading.js";
import { strokePictures } from "./playground/strokes.js";
import "./digit_playground.css";

const KEYS = ["pixels", "strokes", "scale", "centre", "pen", "unit"];
const PAUSE = 800; // milliseconds after the first reading, until there are more of them
const [FEWEST, MOST] = [5, 101]; // readings of which the median time is shown

function render({ model, el }) {
  const ui = frame({ model, el, title: "Playground: draw a digit", keys: KEYS, draw });
  const get = (key) => model.get(key);
  const layers = readLayers(get("layers"), [1, SIDE, SIDE]);
  const stages = [{ name: "Input", kind: "input", shape: [1, SIDE, SIDE] }, ...layers];
  const { drawingOf, pixelsOf } = strokePictures();

  /** New values, and the pixels that the strokes yield with them. */
  function change(values) {
    const now = { ...Object.fromEntries(["strokes", "scale", "centre"].map((key) => [key, get(key)])), ...values };
    const given = "strokes" in values || now.strokes.length > 0; // without strokes the pixels were given, and stay
    ui.set({ ...values, ...(given ? { pixels: pixelsOf(now.strokes, now.scale, now.centre) } : {}) });
  }
  const pad = drawingPad({ get, change, setPen: (width) => ui.set({ pen: width }) });
  const read = reading();
  const gallery = galleries({
    stored: get("examples"),
    choose: (pixels) => { pad.lift(); ui.set({ strokes: [], pixels }); },
    sketch: (strokes) => { pad.lift(); change({ strokes }); },
  });
  const prepared = preparation({ drawingOf, change, frameInk: pad.frameInk });
  const pictures = layerPictures({ stages, unit: () => get("unit"), choose: (unit) => ui.set({ unit }) });
  const inspected = inspector();
  const speed = h("div", { class: "cb-legend" });
  ui.add(h("div", { class: "cb-play-area" }, pad.el, read.el), ...gallery.els.filter(Boolean), prepared.el,
    h("div", { class: "cb-parthead" }, h("b", {}, "Layer by layer"),
      h("span", { class: "cb-shape" }, "choose a pixel to see what it was computed from")),
    h("div", { class: "cb-network" }, pictures.el, inspected.el), speed);
  const holdInspector = holdHeight(inspected.el);
  const holdReading = holdHeight(read.el);

  let seen = {}; // the values at the last draw
  let outputs = null; // of the layers; null while the pad is empty
  let input = null; // the pixels as the network reads them
  let firstPictures; // what is still to come, to be called off when the figure goes
  let moreReadings;
  const milliseconds = []; // of the last readings

  /**
   * Strokes and pixels belong together. Where Python changed one of them alone, the other follows.
   */
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
    if (before.pixels !== pixels) readPixels(pixels);
    if (before.pixels !== pixels || before.strokes !== strokes) pad.show(strokes, pixels, !outputs);
    pad.showTools(!outputs);
    prepared.showSettings(seen);
    holdReading();
    // At the start there is an answer first; the many pictures follow just before the browser
    // paints.
    if (before.pixels) showPictures(before);
    else firstPictures = requestAnimationFrame(() => {
      gallery.draw();
      showPictures({});
      moreReadings = setTimeout(warmUp, PAUSE);
    });
  }

  /** All pictures but that on the pad, as far as something has changed since `before`. */
  function showPictures(before) {
    if (before.pixels !== seen.pixels) {
      pictures.show(outputs);
      inspected.look(input);
    }
    if (["strokes", "pixels", "scale", "centre"].some((key) => before[key] !== seen[key])) {
      gallery.pressSketch(seen.strokes);
      prepared.show(seen);
    }
    if (before.pixels !== seen.pixels || before.unit !== seen.unit) explain();
    holdInspector(unitNow()[0]);
  }

  function readPixels(pixels) {
    input = Float32Array.from(pixels.flat(), (v) => v / 255);
    outputs = input.every((v) => v === 0) ? null : compute();
    showSpeed();
    const example = gallery.exampleOf(pixels);
    read.show(outputs && softmax(outputs.at(-1)), example);
    gallery.press(example);
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
  /**
   * The first reading is slow, because the browser has not translated the code yet: some more, so
   * that there is a median.
   */
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

  function unitNow() {
    const k = clamp(get("unit")[0], 0, stages.length - 1);
    const shape = asMaps(stages[k].shape);
    return [k, ...get("unit").slice(1).map((v, axis) => clamp(v, 0, shape[axis] - 1))];
  }
  function explain() {
    const unit = unitNow();
    const [k, channel, row, col] = unit;
    // The part of each earlier stage that this number depends on.
    const parts = [];
    parts[k] = { channels: [channel], rows: [row], cols: [col] };
    for (let i = k; i > 0; i--) parts[i - 1] = partBefore(layers[i - 1], parts[i]);
    pictures.mark(parts, k);
    inspected.show({ stages, outputs, parts, unit });
  }

  return ui.start({
    stop() {
      read.stop();
      clearTimeout(moreReadings);
      cancelAnimationFrame(firstPictures);
    },
  });
}

export default { render };
