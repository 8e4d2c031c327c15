// What all explorers share: the arithmetic of convolution and pooling, and the drawing of matrices and controls.
// The arithmetic is tested in the browser against convbook.functional.

// ---------------------------------------------------------------- arithmetic

/** Effective length of a filter of `kernel` taps that stand `dilation` cells apart. */
export const extent = (kernel, dilation = 1) => dilation * (kernel - 1) + 1;

/** Length of the output along one axis (0 or less: the filter does not fit). */
export const outputSize = (size, kernel, stride = 1, padding = 0, dilation = 1) =>
  Math.floor((size + 2 * padding - extent(kernel, dilation)) / stride) + 1;

export const shapeOf = (a) => [a.length, a[0].length];

export const build = (rows, cols, value) =>
  Array.from({ length: rows }, (_, r) => Array.from({ length: cols }, (_, c) => value(r, c)));

/** `x` with a ring of `padding` cells of `value` around it. */
export function pad2d(x, padding, value = 0) {
  const [h, w] = shapeOf(x);
  return build(h + 2 * padding, w + 2 * padding, (r, c) => x[r - padding]?.[c - padding] ?? value);
}

/** The cells of the padded input under output cell (row, col): [{r, c, fr, fc}, …] in filter order. */
export function windowCells(row, col, fh, fw, stride = 1, dilation = 1) {
  const cells = [];
  for (let fr = 0; fr < fh; fr++)
    for (let fc = 0; fc < fw; fc++)
      cells.push({ r: row * stride + fr * dilation, c: col * stride + fc * dilation, fr, fc });
  return cells;
}

/** Convolution of two matrices; null when the filter does not fit. */
export function conv2d(x, f, { bias = 0, stride = 1, padding = 0, dilation = 1 } = {}) {
  const padded = pad2d(x, padding);
  const [h, w] = shapeOf(x);
  const [fh, fw] = shapeOf(f);
  const oh = outputSize(h, fh, stride, padding, dilation);
  const ow = outputSize(w, fw, stride, padding, dilation);
  if (oh < 1 || ow < 1) return null;
  return build(oh, ow, (r, c) =>
    windowCells(r, c, fh, fw, stride, dilation).reduce((sum, k) => sum + padded[k.r][k.c] * f[k.fr][k.fc], 0) + bias);
}

/** Max or average pooling of a matrix; null when the window does not fit. */
export function pool2d(x, size, stride, kind) {
  const [h, w] = shapeOf(x);
  const oh = outputSize(h, size, stride);
  const ow = outputSize(w, size, stride);
  if (oh < 1 || ow < 1) return null;
  return build(oh, ow, (r, c) => {
    const values = windowCells(r, c, size, size, stride).map((k) => x[k.r][k.c]);
    return kind === "max" ? Math.max(...values) : values.reduce((a, b) => a + b, 0) / values.length;
  });
}

/** Which cells of an h × w (padded) input are read by some window: a matrix of booleans. */
export function reached(h, w, fh, fw, stride, dilation = 1) {
  const seen = build(h, w, () => false);
  const oh = outputSize(h, fh, stride, 0, dilation);
  const ow = outputSize(w, fw, stride, 0, dilation);
  for (let r = 0; r < oh; r++)
    for (let c = 0; c < ow; c++)
      for (const k of windowCells(r, c, fh, fw, stride, dilation)) seen[k.r][k.c] = true;
  return seen;
}

/**
 * Gradients of a convolution of two matrices: `dx` of the padded input, with what falls on the padding still in it, and
 * `df`. Each output adds its dy · f to the cells of its window, and its dy · x to the filter.
 */
export function conv2dBackward(dy, x, f, { stride = 1, padding = 0 } = {}) {
  const padded = pad2d(x, padding);
  const dx = build(...shapeOf(padded), () => 0);
  const df = build(...shapeOf(f), () => 0);
  dy.forEach((line, row) => line.forEach((g, col) => {
    for (const k of windowCells(row, col, ...shapeOf(f), stride)) {
      dx[k.r][k.c] += g * f[k.fr][k.fc];
      df[k.fr][k.fc] += g * padded[k.r][k.c];
    }
  }));
  return { dx, df };
}

/** The cell of a window that holds its maximum; the first one wins, row by row, as in PyTorch. */
export const firstLargest = (x, cells) => cells.reduce((best, k) => (x[k.r][k.c] > x[best.r][best.c] ? k : best));

/** Gradient of max or average pooling of a matrix. */
export function pool2dBackward(dy, x, size, stride, kind) {
  const dx = build(...shapeOf(x), () => 0);
  dy.forEach((line, row) => line.forEach((g, col) => {
    const cells = windowCells(row, col, size, size, stride);
    const takers = kind === "max" ? [firstLargest(x, cells)] : cells;
    for (const k of takers) dx[k.r][k.c] += g / takers.length;
  }));
  return dx;
}

/** `values` cut, or filled up with `fill`, to the shape rows × cols. */
export const fitted = (values, rows, cols, fill = 1) => build(rows, cols, (r, c) => values[r]?.[c] ?? fill);

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// ---------------------------------------------------------------- networks
// A layer's output is a flat Float32Array in the order (channel, row, column). A layer is what Python's `describe` makes
// of it: its kind, the shape of its output, and for those that slide a window kernel, stride, dilation and padding as
// pairs (vertical, horizontal), padding as [[top, bottom], [left, right]].

/** The bytes that a base64 text stands for. */
export function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** The float32 numbers that a base64 text stands for. */
export const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);

/** Weights from whole numbers of `bits` bits, packed one after the other, times the step of their filter. */
export function unpackWeights({ bits, shape, codes, steps }) {
  const bytes = bytesOf(codes);
  const step = floatsOf(steps);
  const weights = new Float32Array(shape.reduce((a, b) => a * b));
  const perFilter = weights.length / shape[0];
  let held = 0; // the bits that were read but not used yet, and how many
  let count = 0;
  let next = 0;
  for (let i = 0; i < weights.length; i++) {
    for (; count < bits; count += 8) held = held << 8 | bytes[next++];
    count -= bits;
    weights[i] = ((held >> count) - 2 ** (bits - 1)) * step[Math.floor(i / perFilter)];
    held &= (1 << count) - 1;
  }
  return weights;
}

/** The layers as they travel in a page, with their weights as numbers and the shape of their input; of a picture `shape`. */
export function readLayers(stored, shape) {
  return stored.map((layer) => {
    const read = {
      ...layer, from: shape, weights: layer.weights && unpackWeights(layer.weights), bias: layer.bias && floatsOf(layer.bias),
    };
    shape = layer.shape;
    return read;
  });
}

/** Convolution. One weight at a time is multiplied by all that it meets while the filter slides over the picture. */
function convolutionLayer(x, { from: [c, h, w], shape: [oc, oh, ow], kernel: [fh, fw], stride, dilation, padding, weights, bias }) {
  const y = new Float32Array(oc * oh * ow);
  const [[top], [left]] = padding;
  let next = 0;
  for (let o = 0; o < oc; o++) {
    const start = o * oh * ow;
    if (bias) y.fill(bias[o], start, start + oh * ow);
    for (let ch = 0; ch < c; ch++)
      for (let fr = 0; fr < fh; fr++)
        for (let fc = 0; fc < fw; fc++) {
          const weight = weights[next++];
          const shift = fc * dilation[1] - left;
          // The first place at which the weight meets the picture, and the first at which it does no more.
          const first = Math.max(0, Math.ceil(-shift / stride[1]));
          const end = Math.min(ow, Math.ceil((w - shift) / stride[1]));
          for (let r = 0; r < oh; r++) {
            const row = r * stride[0] + fr * dilation[0] - top;
            if (row < 0 || row >= h) continue;
            let from = (ch * h + row) * w + first * stride[1] + shift;
            const stop = start + r * ow + end;
            for (let to = start + r * ow + first; to < stop; to++, from += stride[1]) y[to] += weight * x[from];
          }
        }
  }
  return y;
}

/** Pooling. In an average padded cells count as zeros; a maximum leaves them out. */
function poolingLayer(x, { kind, from: [, h, w], shape: [c, oh, ow], kernel: [kh, kw], stride, padding }) {
  const y = new Float32Array(c * oh * ow);
  const [[top], [left]] = padding;
  let next = 0;
  for (let ch = 0; ch < c; ch++)
    for (let r = 0; r < oh; r++)
      for (let q = 0; q < ow; q++) {
        let largest = -Infinity;
        let sum = 0;
        for (let row = Math.max(0, r * stride[0] - top); row < Math.min(h, r * stride[0] - top + kh); row++)
          for (let col = Math.max(0, q * stride[1] - left); col < Math.min(w, q * stride[1] - left + kw); col++) {
            const value = x[(ch * h + row) * w + col];
            largest = Math.max(largest, value);
            sum += value;
          }
        y[next++] = kind === "max" ? largest : sum / (kh * kw);
      }
  return y;
}

/** Fully connected layer: each output is the sum of all inputs, each times its weight, and a bias. */
function linearLayer(x, { shape: [n], weights, bias }) {
  return Float32Array.from({ length: n }, (_, i) => {
    let sum = bias ? bias[i] : 0;
    for (let j = 0; j < x.length; j++) sum += weights[i * x.length + j] * x[j];
    return sum;
  });
}

const LAYERS = {
  conv: convolutionLayer, max: poolingLayer, average: poolingLayer, linear: linearLayer,
  relu: (x) => x.map((v) => Math.max(v, 0)), flatten: (x) => x,
};

/** The picture `x` and after it the output of every layer. */
export function runLayers(layers, x) {
  const outputs = [x];
  for (const layer of layers) outputs.push(LAYERS[layer.kind](outputs.at(-1), layer));
  return outputs;
}

/** Probabilities from scores. Taking off the largest score changes nothing but keeps exp from overflowing. */
export function softmax(scores) {
  const largest = Math.max(...scores);
  const powers = Array.from(scores, (s) => Math.exp(s - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}

/** A shape as [channels, rows, columns]; a vector is many channels of one number each. */
export const asMaps = (shape) => (shape.length === 3 ? shape : [shape[0], 1, 1]);

const indices = (n) => Array.from({ length: n }, (_, i) => i);

/**
 * The part of a layer's input that a part of its output depends on. A part is {channels, rows, cols}, each a list of
 * indices; the padding belongs to no part.
 */
export function partBefore({ kind, from, kernel, stride, dilation, padding }, { channels, rows, cols }) {
  const [c, h, w] = asMaps(from);
  if (kind === "relu") return { channels, rows, cols };
  if (kind === "flatten" && channels.length === 1) { // one number is one cell
    const [i] = channels;
    return { channels: [Math.floor(i / (h * w))], rows: [Math.floor(i / w) % h], cols: [i % w] };
  }
  if (kind === "flatten" || kind === "linear") return { channels: indices(c), rows: indices(h), cols: indices(w) };
  const read = (places, axis, size) => {
    const taps = (place) => indices(kernel[axis]).map((k) => place * stride[axis] + k * dilation[axis] - padding[axis][0]);
    const found = new Set(places.flatMap(taps));
    return indices(size).filter((i) => found.has(i));
  };
  return { channels: kind === "conv" ? indices(c) : channels, rows: read(rows, 0, h), cols: read(cols, 1, w) };
}

// ---------------------------------------------------------------- pictures and matrices
// A picture is {width, height, data} as a canvas has it: red, green, blue and opacity, row by row. Matrices are those of
// Python's `convbook.affine`: points (x, y, 1) in pixels from the centre, x to the right and y down.

/** The product of two 3 × 3 matrices. */
export const matmul = (a, b) => build(3, 3, (r, c) => a[r].reduce((sum, v, k) => sum + v * b[k][c], 0));

/** The inverse of a matrix whose last row is 0, 0, 1. */
export function invertAffine([[a, b, right], [c, d, down]]) {
  const determinant = a * d - b * c;
  const [p, q, r, s] = [d, -b, -c, a].map((v) => v / determinant);
  return [[p, q, -(p * right + q * down)], [r, s, -(r * right + s * down)], [0, 0, 1]];
}

/** The pixel that stands for one at `place`, which may lie outside an axis of this length; -1: a zero. */
function insideAxis(place, length, mode) {
  if (place >= 0 && place < length) return place;
  if (mode === "zero") return -1;
  if (mode === "edge" || length === 1) return clamp(place, 0, length - 1);
  const period = 2 * (length - 1);
  const within = ((place % period) + period) % period;
  return within < length ? within : period - within;
}

/**
 * Where a pixel of a transformed picture comes from: {row, col} in the old picture, and the four pixels around it that are
 * mixed, each {r, c, weight}, or r = -1 where a zero is taken instead.
 */
export function sourceOf(inverse, { width, height }, row, col, mode) {
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const [x, y] = [0, 1].map((i) => inverse[i][0] * (col - cx) + inverse[i][1] * (row - cy) + inverse[i][2]);
  // A billionth of a pixel is rounding: a whole place stays whole.
  const tidy = (v) => (Math.abs(v - Math.round(v)) < 1e-9 ? Math.round(v) : v);
  const place = { row: tidy(y + cy), col: tidy(x + cx) };
  const [r, c] = [Math.floor(place.row), Math.floor(place.col)];
  const [dr, dc] = [place.row - r, place.col - c];
  const pixel = (down, right, weight) => {
    const [pr, pc] = [insideAxis(r + down, height, mode), insideAxis(c + right, width, mode)];
    return { r: pr < 0 || pc < 0 ? -1 : pr, c: pc, weight };
  };
  return {
    ...place,
    pixels: [pixel(0, 0, (1 - dr) * (1 - dc)), pixel(0, 1, (1 - dr) * dc), pixel(1, 0, dr * (1 - dc)), pixel(1, 1, dr * dc)],
  };
}

/** A picture moved with a matrix and sampled bilinearly, then multiplied by `brightness`; its numbers are not rounded. */
export function transformPicture({ width, height, data }, matrix, mode, brightness = 1) {
  const [[a, b, right], [c, d, down]] = invertAffine(matrix);
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const result = new Float32Array(data.length).fill(255);
  let to = 0;
  for (let row = 0; row < height; row++)
    for (let col = 0; col < width; col++, to += 4) {
      const x = a * (col - cx) + b * (row - cy) + right + cx;
      const y = c * (col - cx) + d * (row - cy) + down + cy;
      const [left, above] = [Math.floor(x), Math.floor(y)];
      const [dx, dy] = [x - left, y - above];
      const [c0, c1] = [insideAxis(left, width, mode), insideAxis(left + 1, width, mode)];
      const [r0, r1] = [insideAxis(above, height, mode), insideAxis(above + 1, height, mode)];
      for (let k = 0; k < 3; k++) {
        const p00 = r0 < 0 || c0 < 0 ? 0 : data[4 * (r0 * width + c0) + k];
        const p01 = r0 < 0 || c1 < 0 ? 0 : data[4 * (r0 * width + c1) + k];
        const p10 = r1 < 0 || c0 < 0 ? 0 : data[4 * (r1 * width + c0) + k];
        const p11 = r1 < 0 || c1 < 0 ? 0 : data[4 * (r1 * width + c1) + k];
        const upper = p00 + dx * (p01 - p00);
        const lower = p10 + dx * (p11 - p10);
        result[to + k] = clamp(brightness * (upper + dy * (lower - upper)), 0, 255);
      }
    }
  return { width, height, data: result };
}

/** Random numbers from 0 to 1, the same for the same seed: Tommy Ettinger's mulberry32. */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// ---------------------------------------------------------------- text

/** A number as it is printed in a cell: at most `digits` decimals and a true minus sign. */
export const fmt = (v, digits = 2) => String(Number(v.toFixed(digits))).replace("-", "−");

/** The same inside a product, where a negative factor needs brackets. */
export const factor = (v) => (v < 0 ? `(${fmt(v)})` : fmt(v));

/** What a reader typed, as a number; NaN when it is none. Both minus signs and a decimal comma are understood. */
export function parse(text) {
  const clean = text.trim().replace("−", "-").replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(clean) ? Number(clean) : NaN;
}

// ---------------------------------------------------------------- page elements

/** What counts as a child of an element: a condition that failed leaves none. */
const isChild = (child) => child !== null && child !== undefined && child !== false;

/** An element: attributes by name, `on…` listeners, `class`, and children (nodes, text, or nested arrays). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(isChild));
  // JupyterLab swallows arrow keys and letters unless the focused element itself says not to.
  if (["input", "button", "select", "td"].includes(tag)) element.dataset.lmSuppressShortcuts = "true";
  return element;
}

/** An SVG element: attributes by name, and children as for `h`. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter(isChild));
  return element;
}

/**
 * The common frame of an explorer: title, play or other buttons, reset, then the parts given to `add`.
 * `keys` are the model's values that the explorer shows; reset puts them back to what they were at the start.
 * `draw` is called once, and once more after every change, however many values changed together.
 * `onreset` is what Reset does instead, if given.
 */
export function frame({ model, el, title, keys, draw, onreset }) {
  const initial = Object.fromEntries(keys.map((key) => [key, structuredClone(model.get(key))]));
  const tools = h("div", { class: "cb-tools" });
  const root = h("section", { class: "cb", role: "group", "aria-label": title },
    h("div", { class: "cb-head" }, h("span", { class: "cb-title" }, title), tools));
  const set = (values) => {
    for (const [key, value] of Object.entries(values)) model.set(key, value);
    model.save_changes();
  };
  let pending = false;
  const schedule = () => {
    if (pending) return;
    pending = true;
    queueMicrotask(() => { pending = false; draw(); });
  };
  for (const key of keys) model.on(`change:${key}`, schedule);
  const reset = button("Reset", "Back to the start", onreset ?? (() => set(structuredClone(initial))));
  el.classList.add("convbook-widget");
  el.replaceChildren(root);
  return {
    set,
    tools,
    add: (...parts) => root.append(...parts),
    /** Call when all parts are in place: shows the first state; returns the clean-up function for anywidget. */
    start() {
      tools.append(reset);
      draw();
      return () => { for (const key of keys) model.off(`change:${key}`, schedule); };
    },
  };
}

export const button = (text, label, onclick, extra = {}) =>
  h("button", { type: "button", class: "cb-button", "aria-label": label, title: label, onclick, ...extra }, text);

/** A slider with its name and value, printed by `text`: {el, show(value, {min, max})}. */
export function slider({ label, min, max, step = 1, oninput, text = fmt }) {
  const input = h("input", { type: "range", min, max, step, oninput: () => oninput(Number(input.value)) });
  const value = h("output", { class: "cb-value" });
  return {
    el: h("label", { class: "cb-control" }, h("span", { class: "cb-name" }, label), input, value),
    input,
    show(v, limits = {}) {
      for (const [name, limit] of Object.entries(limits)) input[name] = limit;
      input.value = v;
      value.textContent = text(v);
      if (text !== fmt) input.setAttribute("aria-valuetext", text(v));
    },
  };
}

/** A choice among named options: {el, show(value)}. */
export function choice({ label, options, onchange }) {
  const select = h("select", { onchange: () => onchange(select.value) },
    Object.entries(options).map(([value, text]) => h("option", { value }, text)));
  return {
    el: h("label", { class: "cb-control" }, h("span", { class: "cb-name" }, label), select),
    show(value) { select.value = value; },
  };
}

/** − value + : for sizes. {el, show(value)}. */
export function stepper({ label, min, max, onchange }) {
  const value = h("output", { class: "cb-value" });
  let now = min;
  const less = button("−", `${label}: one less`, () => onchange(now - 1));
  const more = button("+", `${label}: one more`, () => onchange(now + 1));
  return {
    el: h("span", { class: "cb-stepper", role: "group", "aria-label": label }, h("span", { class: "cb-name" }, label), less, value, more),
    show(v) {
      now = v;
      value.textContent = v;
      less.disabled = v <= min;
      more.disabled = v >= max;
    },
  };
}

/**
 * Step back, play/pause and step forward through `count()` positions: {els, stop}. Playing goes round and round, or
 * without `loop` stops at the end.
 */
export function player({ count, position, go, delay = 900, loop = true }) {
  let timer = null;
  const move = (by) => { const n = count(); if (n) go((position() + by + n) % n); };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ Play";
    play.setAttribute("aria-pressed", "false");
  };
  const back = button("‹", "One step back", () => { stop(); move(-1); });
  const play = button("▶ Play", "Play all steps, one after the other", () => {
    if (timer) return stop();
    play.textContent = "❚❚ Pause";
    play.setAttribute("aria-pressed", "true");
    move(1);
    timer = setInterval(() => (play.isConnected && (loop || position() < count() - 1) ? move(1) : stop()), delay);
  }, { "aria-pressed": "false" });
  const next = button("›", "One step forward", () => { stop(); move(1); });
  play.classList.add("cb-play");
  return { els: [back, play, next], stop };
}

/** A matrix behind an operator sign, which stay together when the line breaks. */
export const after = (sign, ...parts) =>
  h("div", { class: "cb-after" }, h("span", { class: "cb-operator", "aria-hidden": "true" }, sign), parts);

/** A line of text that screen readers announce when it changes. */
export const live = (cls) => h("div", { class: cls, "aria-live": "polite", "aria-atomic": "true" });

/**
 * Keeps an element from shrinking, so that what stands below it on the page does not jump about.
 * Call the function that it returns after each change; another `key` than last time lets the element shrink.
 */
export function holdHeight(element) {
  let tallest = 0;
  let width = 0;
  let last;
  return (key) => {
    if (element.clientWidth !== width || key !== last) {
      [tallest, width, last] = [0, element.clientWidth, key];
      element.style.minHeight = "";
    }
    tallest = Math.max(tallest, element.scrollHeight);
    element.style.minHeight = `${tallest}px`;
  };
}

// ---------------------------------------------------------------- matrices

export const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * A matrix as a grid with the value in every cell.
 *
 * @param symbol   the letter it goes by (X, F, Y)
 * @param label    what it is, for screen readers ("Input X")
 * @param onedit   (row, col, value) => …: the cells can be typed in
 * @param form     the cells are a form to fill in: Tab goes through all of them, and they may be empty or hold what is
 *   no number; onedit then gets whatever `read` made of the text, and the text itself as a fourth argument
 * @param read     (text) => number, NaN when it is none
 * @param onpick   (row, col) => …: hovering, tapping or walking with the arrow keys chooses a cell; together with
 *   `onedit`, the cell that is typed in is chosen too
 * @returns {el, caption, show(values, {mark, scale, text, note, shape})}
 *   values: numbers, and null for a cell that is still empty;
 *   mark(row, col) -> class names ("window", "picked", "padding", "unreached", …);
 *   scale: the value that gets the full colour; text(row, col) -> what to print instead of the value;
 *   note(row, col) -> small print in the corner of the cell (the filter's weight);
 *   shape: what to print as the shape instead of "rows × columns".
 */
export function matrix({ symbol, label, onedit, onpick, form = false, read = parse }) {
  const body = h("tbody");
  const table = h("table", { role: "grid", "aria-label": label }, body);
  const size = h("span", { class: "cb-shape" });
  const caption = h("figcaption", {}, symbol ? h("b", {}, symbol) : null, size);
  const el = h("figure", { class: "cb-matrix" }, caption, h("div", { class: "cb-scroll" }, table));
  let cells = [];
  let current = [0, 0];

  const target = (r, c) => cells[r][c].input ?? cells[r][c].td;
  const fixed = (r, c) => cells[r][c].td.classList.contains("padding");
  const walk = (event, r, c) => {
    const move = MOVES[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const row = clamp(r + move[0], 0, cells.length - 1);
    const col = clamp(c + move[1], 0, cells[0].length - 1);
    if (fixed(row, col)) return;
    target(row, col).focus();
  };
  const rove = (r, c) => {
    if (!form && cells[current[0]]?.[current[1]]) target(...current).tabIndex = -1;
    current = [r, c];
    target(r, c).tabIndex = 0;
  };
  const make = (r, c) => {
    const name = `${symbol || label} row ${r}, column ${c}`;
    if (onedit) {
      const input = h("input", {
        type: "text", autocomplete: "off", spellcheck: "false", tabindex: form ? 0 : -1, "aria-label": name,
        onfocus: () => { rove(r, c); input.select(); onpick?.(r, c); },
        onkeydown: (event) => walk(event, r, c),
        oninput: () => {
          const value = read(input.value);
          const good = Number.isFinite(value) && Math.abs(value) < 1e6;
          input.toggleAttribute("aria-invalid", !good && !form);
          if (good || form) onedit(r, c, value, input.value);
        },
        onblur: () => { input.removeAttribute("aria-invalid"); input.value = cells[r][c].text; },
      });
      const hover = (event) => { if (event.pointerType === "mouse") onpick(r, c); };
      return { td: h("td", { role: "gridcell", onpointerenter: onpick && hover }, input), input };
    }
    if (onpick) {
      const td = h("td", {
        role: "gridcell", tabindex: -1,
        onfocus: () => { rove(r, c); onpick(r, c); },
        onkeydown: (event) => walk(event, r, c),
        onclick: () => td.focus(),
        onpointerenter: (event) => { if (event.pointerType === "mouse") onpick(r, c); },
      });
      return { td };
    }
    return { td: h("td", { role: "gridcell" }) };
  };

  return {
    el,
    caption,
    show(values, { mark = () => "", scale, text, note = () => "", shape } = {}) {
      const [rows, cols] = shapeOf(values);
      const full = scale ?? Math.max(1e-12, ...values.flat().map(Math.abs));
      if (cells.length !== rows || cells[0].length !== cols) {
        cells = build(rows, cols, make);
        body.replaceChildren(...cells.map((row) => h("tr", {}, row.map((cell) => cell.td))));
        table.style.setProperty("--cb-cols", cols);
        if (onedit || onpick) rove(clamp(current[0], 0, rows - 1), clamp(current[1], 0, cols - 1));
      }
      size.textContent = shape ?? `${rows} × ${cols}`;
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < cols; c++) {
          const cell = cells[r][c];
          const empty = values[r][c] === null;
          const classes = `${mark(r, c) || ""}${empty ? " empty" : ""}`;
          cell.text = text ? text(r, c) : empty ? "" : fmt(values[r][c]);
          cell.td.className = `${classes} ${values[r][c] < 0 ? "neg" : "pos"}`.trim();
          cell.td.style.setProperty("--cb-tone", Math.min(1, Math.abs(values[r][c]) / full).toFixed(3));
          if (empty) delete cell.td.dataset.value;
          else cell.td.dataset.value = values[r][c];
          if (note(r, c)) cell.td.dataset.note = note(r, c);
          else delete cell.td.dataset.note;
          if (onpick) cell.td.setAttribute("aria-selected", classes.includes("picked"));
          if (!cell.input) cell.td.textContent = cell.text;
          else {
            const fixed = classes.includes("padding");
            cell.input.disabled = fixed;
            if (document.activeElement !== cell.input && cell.input.getRootNode().activeElement !== cell.input)
              cell.input.value = cell.text;
          }
        }
      // A cell of the padding is never chosen: the Tab key leads to the first one that can be.
      if ((onedit || onpick) && !form && fixed(...current)) {
        const row = cells.findIndex((line) => line.some((cell) => !cell.td.classList.contains("padding")));
        if (row >= 0) rove(row, cells[row].findIndex((cell) => !cell.td.classList.contains("padding")));
      }
    },
  };
}

/** A grid of blocks: a fourth-order array, whose first two axes say which block and whose last two where in it. */
export function blockArray() {
  const el = h("div", { class: "cb-blocks" });
  let blocks = [];
  return {
    el,
    /** `values(i, j)` is block (i, j) or null when it is still empty; `current` is the block that is lit. */
    show([rows, cols], [inner, across], values, { current, scale, name }) {
      if (blocks.length !== rows || blocks[0].length !== cols) {
        blocks = build(rows, cols, () => matrix({ symbol: "", label: "" }));
        el.replaceChildren(...blocks.flat().map((block) => block.el));
      }
      el.style.setProperty("--cb-blocks", cols);
      el.style.setProperty("--cb-across", cols * (across + 0.45));
      blocks.forEach((row, i) => row.forEach((block, j) => {
        const lit = i === current[0] && j === current[1];
        block.el.classList.toggle("lit", lit);
        block.el.querySelector("table").setAttribute("aria-label", `${name}[${i}, ${j}]`);
        block.show(values(i, j) ?? build(inner, across, () => null), { scale, mark: () => (lit ? "window" : "") });
      }));
    },
    lit: () => el.querySelector(".lit"),
  };
}

/** A box that scrolls by itself when its content is too wide; only then the keyboard can reach it, to scroll it. */
export function scroller(label, ...content) {
  const el = h("div", { class: "cb-scroller" }, content);
  return {
    el,
    /** Call after a change: brings `part` into view without moving the page. */
    settle(part) {
      const scrolls = el.scrollWidth > el.clientWidth || el.scrollHeight > el.clientHeight;
      for (const [name, value] of Object.entries({ tabindex: "0", role: "region", "aria-label": label })) {
        if (scrolls) el.setAttribute(name, value);
        else el.removeAttribute(name);
      }
      if (!part) return;
      const [box, inner] = [el.getBoundingClientRect(), part.getBoundingClientRect()];
      el.scrollLeft += Math.min(0, inner.left - box.left - 4) + Math.max(0, inner.right - box.right + 4);
      el.scrollTop += Math.min(0, inner.top - box.top - 4) + Math.max(0, inner.bottom - box.bottom + 4);
    },
  };
}

/** A slice as NumPy writes it: `count` cells from `start`, `stride` apart. */
export function slice(start, count, stride) {
  return `${start}:${start + stride * (count - 1) + 1}${stride > 1 ? `:${stride}` : ""}`;
}

/** The numbers of a shape as they stand in the captions: "2 × 3 × 4". */
export const times = (...sizes) => sizes.join(" × ");

/** The output size along one axis, as text with the numbers put in; without `padding` the formula does not mention it. */
export function sizeFormula(name, sizeName, kernelName, { size, kernel, stride, padding, dilation = 1 }) {
  const taps = extent(kernel, dilation);
  const inside = size + 2 * (padding ?? 0) - taps;
  const [P, p] = padding === undefined ? ["", ""] : [" + 2P", ` + 2·${padding}`];
  const k = dilation === 1 ? kernelName : `(D(${kernelName}−1)+1)`;
  const quotient = inside / stride;
  const floor = Number.isInteger(quotient) ? "" : ` = ⌊${fmt(quotient)}⌋ + 1`;
  return `${name} = ⌊(${sizeName}${P} − ${k}) / S⌋ + 1 = ⌊(${size}${p} − ${taps}) / ${stride}⌋ + 1`
    + `${floor} = ${Math.floor(quotient) + 1}`;
}

// ---------------------------------------------------------------- pictures

const PICTURE_COLOURS = { ink: [0, 0, 0], pos: [47, 127, 214], neg: [224, 115, 29] }; // --cb-pos and --cb-neg

/**
 * A picture with one pixel for each number: blue above zero, orange below, the deeper the larger; or `ink`, which is black
 * on a light page and white on a dark one. The page's ground shines through. {el, show(values, rows, cols, scale)}
 */
export function picture({ ink = false, label } = {}) {
  const el = h("canvas", { class: `cb-picture${ink ? " ink" : ""}`, ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }) });
  return {
    el,
    show(values, rows, cols, scale = 1) {
      if (el.width !== cols || el.height !== rows) [el.width, el.height] = [cols, rows];
      const context = el.getContext("2d");
      const image = context.createImageData(cols, rows);
      const { data } = image;
      for (let i = 0; i < rows * cols; i++) {
        const value = values[i] ?? 0;
        const colour = ink ? PICTURE_COLOURS.ink : value < 0 ? PICTURE_COLOURS.neg : PICTURE_COLOURS.pos;
        data[4 * i] = colour[0];
        data[4 * i + 1] = colour[1];
        data[4 * i + 2] = colour[2];
        data[4 * i + 3] = 255 * Math.min(1, Math.abs(value) / scale); // is rounded
      }
      context.putImageData(image, 0, 0);
    },
  };
}

/** A picture in colours from three channels one after the other: numbers from 0 to 1, or `signed`, where 0 is a middle grey. */
export function colourPicture({ signed = false } = {}) {
  const el = h("canvas", { class: "cb-picture", "aria-hidden": "true" });
  const context = el.getContext("2d");
  return {
    el,
    show(values, rows, cols, scale = 1) {
      if (el.width !== cols || el.height !== rows) [el.width, el.height] = [cols, rows];
      const image = context.createImageData(cols, rows);
      const size = rows * cols;
      for (let i = 0; i < size; i++) {
        const colour = [0, 1, 2].map((c) => values[c * size + i] / scale);
        image.data.set([...colour.map((v) => 255 * (signed ? (v + 1) / 2 : v)), 255], 4 * i);
      }
      context.putImageData(image, 0, 0);
    },
  };
}

/** How Huffman codes of these lengths (0: never used) are read: the symbols in the order of their codes. RFC 1951, 3.2.2. */
function huffmanCode(lengths) {
  const counts = new Uint16Array(16); // of the codes of each length
  for (const length of lengths) if (length) counts[length] += 1;
  const used = Array.from(lengths, (_, symbol) => symbol).filter((symbol) => lengths[symbol]);
  return { counts, symbols: used.sort((a, b) => lengths[a] - lengths[b] || a - b) };
}

const repeated = (...runs) => runs.flatMap(([count, length]) => Array(count).fill(length));
const FIXED_CODES = [repeated([144, 8], [112, 9], [24, 7], [8, 8]), repeated([30, 5])].map(huffmanCode);
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const COPY_LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];

/**
 * The `size` bytes that Python's zlib has deflated (RFC 1950, 1951). The browser's DecompressionStream does the same, but
 * not at once: all other scripts of the page would have their turn before the figure is there.
 */
export function inflate(bytes, size) {
  const result = new Uint8Array(size);
  let written = 0;
  let next = 2; // behind the header
  let held = 0; // the bits that were read but not used yet, and how many
  let count = 0;
  const bits = (n) => {
    for (; count < n; count += 8) held |= bytes[next++] << count;
    const value = held & ((1 << n) - 1);
    held >>>= n;
    count -= n;
    return value;
  };
  const symbol = ({ counts, symbols }) => {
    let code = 0;
    let first = 0; // the first code of this length
    let shorter = 0; // the number of codes that are shorter
    for (let length = 1; ; length++) {
      code |= bits(1);
      if (code - first < counts[length]) return symbols[shorter + code - first];
      shorter += counts[length];
      first = 2 * (first + counts[length]);
      code *= 2;
    }
  };
  /** The codes that a block brings along: of the literals and lengths, and of the distances. */
  const ownCodes = () => {
    const [literals, distances, known] = [bits(5) + 257, bits(5) + 1, bits(4) + 4];
    const few = Array(19).fill(0);
    for (const place of CODE_LENGTH_ORDER.slice(0, known)) few[place] = bits(3);
    const code = huffmanCode(few);
    const lengths = [];
    while (lengths.length < literals + distances) {
      const s = symbol(code);
      if (s < 16) lengths.push(s);
      else if (s === 16) lengths.push(...Array(3 + bits(2)).fill(lengths.at(-1)));
      else lengths.push(...Array(s === 17 ? 3 + bits(3) : 11 + bits(7)).fill(0));
    }
    return [lengths.slice(0, literals), lengths.slice(literals)].map(huffmanCode);
  };
  let last = 0;
  while (!last) {
    last = bits(1);
    const kind = bits(2);
    if (kind === 0) { // stored as it is, from the next whole byte on; its length stands there twice
      const length = bytes[next] + 256 * bytes[next + 1];
      result.set(bytes.subarray(next + 4, next + 4 + length), written);
      [written, next, held, count] = [written + length, next + 4 + length, 0, 0];
      continue;
    }
    const [literals, distances] = kind === 1 ? FIXED_CODES : ownCodes();
    for (let s = symbol(literals); s !== 256; s = symbol(literals)) {
      if (s < 256) { result[written++] = s; continue; }
      const i = s - 257;
      let length = COPY_LENGTHS[i] + (i < 8 || i === 28 ? 0 : bits((i >> 2) - 1));
      const d = symbol(distances);
      const back = d < 4 ? d + 1 : 2 ** ((d >> 1) - 1) * (2 + d % 2) + 1 + bits((d >> 1) - 1);
      for (; length; length--) { result[written] = result[written - back]; written += 1; }
    }
  }
  return result;
}

/**
 * The numbers that Python's `packed` stored: {shape, low, largest, part(i, j, …)}; a part is a Float32Array of what lies
 * behind the first indices. `low` is the least number that could be stored, `largest` the largest.
 */
export function unpack({ shape, low, step, bytes, data }) {
  const { buffer } = inflate(bytesOf(data), bytes * shape.reduce((a, b) => a * b));
  const steps = bytes === 1 ? new Uint8Array(buffer) : new Uint16Array(buffer);
  const sizes = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  // What is stored along the first axis are differences; the sums run over, and so did the differences.
  for (let i = sizes[0]; i < steps.length; i++) steps[i] += steps[i - sizes[0]];
  const values = new Float32Array(steps.length);
  let largest = 0;
  for (let i = 0; i < steps.length; i++) {
    values[i] = low + step * steps[i];
    largest = Math.max(largest, Math.abs(values[i]));
  }
  return {
    shape, low, largest,
    part(...index) {
      const start = index.reduce((sum, i, axis) => sum + i * sizes[axis], 0);
      return values.subarray(start, start + sizes[index.length - 1]);
    },
  };
}

/** Probabilities of named classes as bars: {el, show(values, {truth})}; `truth` is the class that gets a tick. */
export function bars(label, names) {
  const rows = names.map((name) => {
    const tick = h("span", { class: "cb-tick" });
    const bar = h("span", { class: "cb-level" });
    const value = h("span", { class: "cb-chance-value" });
    const el = h("div", { class: "cb-chance" },
      h("span", { class: "cb-chance-name" }, name), tick, h("span", { class: "cb-rail" }, bar), value);
    return { el, tick, bar, value };
  });
  return {
    el: h("div", { class: "cb-chances", role: "group", "aria-label": label }, rows.map((row) => row.el)),
    show(values, { truth } = {}) {
      const best = values.indexOf(Math.max(...values));
      rows.forEach((row, i) => {
        row.el.className = `cb-chance${i === best ? " best" : ""}${i === truth ? " truth" : ""}`;
        row.el.dataset.value = values[i];
        row.tick.textContent = i === truth ? "✓" : "";
        row.bar.style.width = `${100 * values[i]}%`;
        row.value.textContent = values[i].toFixed(3);
      });
    },
  };
}
