// A U-Net, forwards. A map is a Float32Array in the order (channel, row, column), its sides known
// from the step before. Steps are what Python's `stored_unet.for_page` makes.
import { inflate } from "./inflate.js";
import { bytesOf, floatsOf } from "./packed.js";

/** The steps with their weights as numbers. */
export function readUnet({ steps, count, codes, sizes, bias }) {
  const whole = new Int8Array(inflate(bytesOf(codes), count).buffer);
  const [size, shift] = [floatsOf(sizes), floatsOf(bias)];
  let next = 0; // the first code of a step, and its first output channel
  let channel = 0;
  return steps.map((step) => {
    if (!step.shape) return step;
    const [a, b, fh, fw] = step.shape;
    const outputs = step.kind === "conv" ? a : b;
    const perFilter = fh * fw;
    const weights = Float32Array.from({ length: a * b * perFilter }, (_, i) => {
      const filter = Math.floor(i / perFilter);
      const output = step.kind === "conv" ? Math.floor(filter / b) : filter % b;
      return whole[next + i] * size[channel + output];
    });
    const read = { ...step, weights, bias: shift.subarray(channel, channel + outputs) };
    next += weights.length;
    channel += outputs;
    return read;
  });
}

/** Convolution with a filter of 1 × 1 or 3 × 3 and as much padding as keeps the size. */
function convolve(x, { shape: [outputs, inputs, side], weights, bias }, h, w) {
  const y = new Float32Array(outputs * h * w);
  const reach = side >> 1;
  let next = 0;
  for (let o = 0; o < outputs; o++) {
    const start = o * h * w;
    y.fill(bias[o], start, start + h * w);
    for (let c = 0; c < inputs; c++)
      for (let down = -reach; down <= reach; down++)
        for (let right = -reach; right <= reach; right++) {
          const weight = weights[next++];
          if (weight === 0) continue;
          const [first, end] = [Math.max(0, -right), Math.min(w, w - right)];
          const last = Math.min(h, h - down);
          for (let row = Math.max(0, -down); row < last; row++) {
            let from = (c * h + row + down) * w + first + right;
            const to = start + row * w;
            for (let i = to + first; i < to + end; i++) y[i] += weight * x[from++];
          }
        }
  }
  return y;
}

/** Transposed convolution with a filter of 2 × 2 and stride 2: each number becomes four. */
function unfold(x, { shape: [inputs, outputs], weights, bias }, h, w) {
  const y = new Float32Array(outputs * 4 * h * w);
  for (let o = 0; o < outputs; o++) y.fill(bias[o], o * 4 * h * w, (o + 1) * 4 * h * w);
  for (let c = 0; c < inputs; c++)
    for (let o = 0; o < outputs; o++)
      for (let part = 0; part < 4; part++) {
        const weight = weights[4 * (c * outputs + o) + part];
        let from = c * h * w;
        for (let row = 0; row < h; row++) {
          let to = (o * 2 * h + 2 * row + (part >> 1)) * 2 * w + (part & 1);
          for (let col = 0; col < w; col++, to += 2) y[to] += weight * x[from++];
        }
      }
  return y;
}

/** The largest of each 2 × 2 numbers. */
function pool(x, h, w) {
  const y = new Float32Array(x.length / 4);
  let to = 0;
  for (let row = 0; row < x.length / w; row += 2)
    for (let col = 0; col < w; col += 2) {
      const i = row * w + col;
      y[to++] = Math.max(x[i], x[i + 1], x[i + w], x[i + w + 1]);
    }
  return y;
}

function joined(first, second) {
  const y = new Float32Array(first.length + second.length);
  y.set(first);
  y.set(second, first.length);
  return y;
}

/** The scores of a picture of h × w, one map for each class. */
export function runUnet(steps, x, h, w) {
  const kept = [];
  let y = x;
  for (const step of steps) {
    switch (step.kind) {
      case "conv": y = convolve(y, step, h, w); break;
      case "relu": for (let i = 0; i < y.length; i++) if (y[i] < 0) y[i] = 0; break;
      case "tanh": y = y.map(Math.tanh); break;
      case "pool": y = pool(y, h, w); [h, w] = [h / 2, w / 2]; break;
      case "up": y = unfold(y, step, h, w); [h, w] = [2 * h, 2 * w]; break;
      case "keep": kept.push(y.slice()); break;
      default: y = joined(kept.pop(), y);
    }
  }
  return y;
}

/** The probabilities of the classes, in the order of the scores. */
export function softmaxPixels(scores, classes) {
  const size = scores.length / classes;
  const p = new Float32Array(scores.length);
  for (let i = 0; i < size; i++) {
    let largest = -Infinity;
    for (let k = 0; k < classes; k++) largest = Math.max(largest, scores[k * size + i]);
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += p[k * size + i] = Math.exp(scores[k * size + i] - largest);
    for (let k = 0; k < classes; k++) p[k * size + i] /= sum;
  }
  return p;
}
