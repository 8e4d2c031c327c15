// A small random network of convolutions, forward and backward: how large signal and gradient are
// along its layers. The tests compare it with convbook.layers.
import { seededRandom } from "../kit/random.js";

export const IMAGES = 8, CHANNELS = 6, SIZE = 6, CLASSES = 4;
const PIXELS = SIZE * SIZE, WEIGHTS = CHANNELS * CHANNELS * 9, EPS = 1e-5;
const TOTAL = IMAGES * CHANNELS * PIXELS;
const WIDE = SIZE + 2; // with a ring of padding

const rootMeanSquare = (a) => Math.sqrt(a.reduce((sum, v) => sum + v * v, 0) / a.length);
const filled = (n, value) => Float64Array.from({ length: n }, value);

/** What is drawn at random: pictures, labels, the last layer, and the filters of each convolution. */
export function drawn(seed, convolutions) {
  const random = seededRandom(seed);
  // Box and Muller: a normal number from two uniform ones.
  const normal = () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random());
  };
  const x = filled(TOTAL, normal);
  const labels = Array.from({ length: IMAGES }, () => Math.floor(CLASSES * random()));
  const head = filled(CLASSES * CHANNELS, () => normal() * Math.sqrt(2 / CHANNELS));
  const he = Math.sqrt(2 / (CHANNELS * 9));
  const filters = Array.from({ length: convolutions }, () => filled(WEIGHTS, () => normal() * he));
  return { x, labels, head, filters };
}

/** Pictures with a ring of zeros, (N, C, SIZE + 2, SIZE + 2). */
function padded(x) {
  const wide = new Float64Array(IMAGES * CHANNELS * WIDE * WIDE);
  for (let map = 0; map < IMAGES * CHANNELS; map++)
    for (let r = 0; r < SIZE; r++)
      for (let c = 0; c < SIZE; c++)
        wide[map * WIDE * WIDE + (r + 1) * WIDE + c + 1] = x[map * PIXELS + r * SIZE + c];
  return wide;
}

/** Convolution of 3×3 with padding 1, as many channels out as in; `flipped` is the way back. */
function convolve(x, f, flipped = false) {
  const wide = padded(x);
  const y = new Float64Array(TOTAL);
  for (let n = 0; n < IMAGES; n++)
    for (let out = 0; out < CHANNELS; out++) {
      const target = (n * CHANNELS + out) * PIXELS;
      for (let c = 0; c < CHANNELS; c++) {
        const source = (n * CHANNELS + c) * WIDE * WIDE;
        for (let k = 0; k < 9; k++) {
          const weight = flipped ? f[(c * CHANNELS + out) * 9 + 8 - k] : f[(out * CHANNELS + c) * 9 + k];
          const from = source + Math.floor(k / 3) * WIDE + k % 3;
          for (let r = 0; r < SIZE; r++)
            for (let s = 0; s < SIZE; s++) y[target + r * SIZE + s] += weight * wide[from + r * WIDE + s];
        }
      }
    }
  return y;
}

/** The gradient of the filters. */
function filterGradient(dy, x) {
  const wide = padded(x);
  const df = new Float64Array(WEIGHTS);
  for (let n = 0; n < IMAGES; n++)
    for (let out = 0; out < CHANNELS; out++)
      for (let c = 0; c < CHANNELS; c++)
        for (let k = 0; k < 9; k++) {
          const given = (n * CHANNELS + out) * PIXELS;
          const from = (n * CHANNELS + c) * WIDE * WIDE + Math.floor(k / 3) * WIDE + k % 3;
          let sum = 0;
          for (let r = 0; r < SIZE; r++)
            for (let s = 0; s < SIZE; s++) sum += dy[given + r * SIZE + s] * wide[from + r * WIDE + s];
          df[(out * CHANNELS + c) * 9 + k] += sum;
        }
  return df;
}

/** Calls `visit(i)` for all numbers of a channel. */
function eachOf(channel, visit) {
  for (let n = 0; n < IMAGES; n++)
    for (let p = 0; p < PIXELS; p++) visit((n * CHANNELS + channel) * PIXELS + p);
}

// A step goes forward and remembers what its way back needs: (x) => y, and back(dy) => dx.

function convolution(f, sizes) {
  let x;
  const entry = {};
  sizes.push(entry);
  return {
    forward(given) {
      x = given;
      const y = convolve(x, f);
      entry.signal = rootMeanSquare(y);
      return y;
    },
    back(dy) {
      entry.gradient = rootMeanSquare(dy);
      entry.weights = rootMeanSquare(filterGradient(dy, x));
      return convolve(dy, f, true);
    },
  };
}

function batchNorm() {
  const count = IMAGES * PIXELS;
  let normal, slopes;
  return {
    forward(x) {
      normal = new Float64Array(TOTAL);
      slopes = [];
      for (let channel = 0; channel < CHANNELS; channel++) {
        let sum = 0, squares = 0;
        eachOf(channel, (i) => { sum += x[i]; });
        const mean = sum / count;
        eachOf(channel, (i) => { squares += (x[i] - mean) ** 2; });
        const slope = 1 / Math.sqrt(squares / count + EPS);
        slopes.push(slope);
        eachOf(channel, (i) => { normal[i] = (x[i] - mean) * slope; });
      }
      return normal;
    },
    back(dy) {
      const dx = new Float64Array(TOTAL);
      for (let channel = 0; channel < CHANNELS; channel++) {
        let sum = 0, along = 0;
        eachOf(channel, (i) => { sum += dy[i]; along += dy[i] * normal[i]; });
        eachOf(channel, (i) => { dx[i] = slopes[channel] * (dy[i] - sum / count - normal[i] * along / count); });
      }
      return dx;
    },
  };
}

function relu() {
  let y;
  return {
    forward: (x) => (y = x.map((v) => (v > 0 ? v : 0))),
    back: (dy) => dy.map((v, i) => (y[i] > 0 ? v : 0)),
  };
}

function inTurn(steps) {
  return {
    forward: (x) => steps.reduce((value, step) => step.forward(value), x),
    back: (dy) => steps.reduceRight((value, step) => step.back(value), dy),
  };
}

function residual(body) {
  return {
    forward: (x) => { const y = body.forward(x); return y.map((v, i) => v + x[i]); },
    back: (dy) => { const dx = body.back(dy); return dx.map((v, i) => v + dy[i]); },
  };
}

/** The gradient that cross entropy after averages and a linear layer hands back, for y: (N, C, …). */
function lossGradient(y, head, labels) {
  const dy = new Float64Array(TOTAL);
  for (let n = 0; n < IMAGES; n++) {
    const means = filled(CHANNELS, (_, c) => {
      let sum = 0;
      for (let p = 0; p < PIXELS; p++) sum += y[(n * CHANNELS + c) * PIXELS + p];
      return sum / PIXELS;
    });
    const scores = filled(CLASSES, (_, k) => means.reduce((sum, v, c) => sum + v * head[k * CHANNELS + c], 0));
    const largest = Math.max(...scores);
    const exp = scores.map((v) => Math.exp(v - largest));
    const total = exp.reduce((a, b) => a + b, 0);
    for (let c = 0; c < CHANNELS; c++) {
      let sum = 0;
      for (let k = 0; k < CLASSES; k++) sum += (exp[k] / total - (labels[n] === k)) * head[k * CHANNELS + c];
      dy.fill(sum / IMAGES / PIXELS, (n * CHANNELS + c) * PIXELS, (n * CHANNELS + c + 1) * PIXELS);
    }
  }
  return dy;
}

/**
 * How large numbers are at each convolution of a network of `depth` layers with weights, the last
 * of which is linear: [{signal, gradient, weights}, …], root mean squares. `scale` multiplies He's
 * initial filters.
 */
export function flow({ depth, residual: isResidual, norm, scale, seed }) {
  const { x, labels, head, filters } = drawn(seed, depth - 1);
  const sizes = [];
  const layer = (i) => [convolution(filters[i].map((v) => scale * v), sizes), ...(norm ? [batchNorm()] : [])];
  const steps = [...layer(0), relu()];
  for (let i = 1; i < depth - 1; i += 2) {
    const body = [...layer(i), relu(), ...layer(i + 1)];
    steps.push(...(isResidual ? [residual(inTurn(body))] : body), relu());
  }
  const network = inTurn(steps);
  network.back(lossGradient(network.forward(x), head, labels));
  return sizes;
}
