// The layers of a network, forwards. A layer's output is a flat Float32Array in the order (channel,
// row, column). A layer is what Python's `describe` makes of it: its kind, the shape of its output,
// and for those that slide a window kernel, stride, dilation and padding as pairs (vertical,
// horizontal), padding as [[top, bottom], [left, right]].
import { bytesOf, floatsOf } from "./packed.js";

/**
 * Weights from whole numbers of `bits` bits, packed one after the other, times the step of their
 * filter.
 */
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

/**
 * The layers as they travel in a page, with their weights as numbers and the shape of their input;
 * of a picture `shape`.
 */
export function readLayers(stored, shape) {
  return stored.map((layer) => {
    const read = {
      ...layer, from: shape, weights: layer.weights && unpackWeights(layer.weights), bias: layer.bias && floatsOf(layer.bias),
    };
    shape = layer.shape;
    return read;
  });
}

/**
 * Convolution. One weight at a time is multiplied by all that it meets while the filter slides over
 * the picture.
 */
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
          // The first place at which the weight meets the picture, and the first at which it does
          // no more.
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

/**
 * Transposed convolution. Each number of the picture lays the filter down, times itself; what lies
 * outside is cut off. Weights are in the order (channel, output channel, row, column).
 */
function transposedLayer(x, { from: [c, h, w], shape: [oc, oh, ow], kernel: [fh, fw], stride, padding, weights, bias }) {
  const y = new Float32Array(oc * oh * ow);
  if (bias) for (let o = 0; o < oc; o++) y.fill(bias[o], o * oh * ow, (o + 1) * oh * ow);
  const [[top], [left]] = padding;
  let from = 0;
  for (let ch = 0; ch < c; ch++)
    for (let r = 0; r < h; r++)
      for (let q = 0; q < w; q++) {
        const value = x[from++];
        if (value === 0) continue;
        for (let o = 0; o < oc; o++)
          for (let fr = 0; fr < fh; fr++) {
            const row = r * stride[0] + fr - top;
            if (row < 0 || row >= oh) continue;
            const weight = ((ch * oc + o) * fh + fr) * fw;
            const start = (o * oh + row) * ow;
            for (let fc = 0; fc < fw; fc++) {
              const col = q * stride[1] + fc - left;
              if (col >= 0 && col < ow) y[start + col] += value * weights[weight + fc];
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

/**
 * Fully connected layer: each output is the sum of all inputs, each times its weight, and a bias.
 */
function linearLayer(x, { shape: [n], weights, bias }) {
  return Float32Array.from({ length: n }, (_, i) => {
    let sum = bias ? bias[i] : 0;
    for (let j = 0; j < x.length; j++) sum += weights[i * x.length + j] * x[j];
    return sum;
  });
}

const LAYERS = {
  conv: convolutionLayer, transposed: transposedLayer, max: poolingLayer, average: poolingLayer, linear: linearLayer,
  relu: (x) => x.map((v) => Math.max(v, 0)), leaky: (x, { slope }) => x.map((v) => (v > 0 ? v : slope * v)),
  sigmoid: (x) => x.map((v) => 1 / (1 + Math.exp(-v))), tanh: (x) => x.map(Math.tanh),
  flatten: (x) => x, reshape: (x) => x,
};

/** The picture `x` and after it the output of every layer. */
export function runLayers(layers, x) {
  const outputs = [x];
  for (const layer of layers) outputs.push(LAYERS[layer.kind](outputs.at(-1), layer));
  return outputs;
}

/**
 * Probabilities from scores. Taking off the largest score changes nothing but keeps exp from
 * overflowing.
 */
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
 * The part of a layer's input that a part of its output depends on. A part is {channels, rows,
 * cols}, each a list of indices; the padding belongs to no part.
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

// A picture is {width, height, data} as a canvas has it: red, green, blue and opacity, row by row.
// Matrices are those of Python's `convbook.affine`: points (x, y, 1) in pixels from the centre, x
// to the right and y down.
