// Networks of fully connected layers, forwards, backwards, and a step of Adam: as in Python's
// convbook.layers and convbook.optimizers, which the tests compare. A batch of n rows is a flat
// Float64Array, row by row.

/**
 * A network with layers of these sizes and between them an activation that multiplies what is
 * below zero by `slope`. `normals(count)` draws the initial weights, of variance 2 / (inputs).
 */
export function denseNetwork(sizes, slope, normals) {
  const layers = sizes.slice(1).map((outputs, i) => {
    const inputs = sizes[i];
    const weights = normals(outputs * inputs).map((v) => v * Math.sqrt(2 / inputs));
    return { inputs, outputs, params: [weights, new Float64Array(outputs)].map(parameter) };
  });
  return { layers, slope, steps: 0 };
}

/** An array that is learned, with its gradient and the two averages that Adam keeps. */
const parameter = (values) => ({ values, grad: values.map(() => 0), mean: values.map(() => 0), square: values.map(() => 0) });

/** What the network makes of a batch, and the inputs of all layers, which the way back needs. */
export function forward({ layers, slope }, x, n) {
  const inputs = [];
  layers.forEach(({ inputs: many, outputs, params: [{ values: w }, { values: b }] }, i) => {
    if (i) x = x.map((v) => (v > 0 ? v : slope * v));
    inputs.push(x);
    const y = new Float64Array(n * outputs);
    const read = x; // for the inner loop, a constant
    for (let row = 0; row < n; row++)
      for (let o = 0; o < outputs; o++) {
        let sum = b[o];
        for (let k = 0, i = o * many, j = row * many; k < many; k++) sum += w[i + k] * read[j + k];
        y[row * outputs + o] = sum;
      }
    x = y;
  });
  return { y: x, inputs };
}

/**
 * The gradient of the input, for that of the output. Unless `through`, the layers' gradients are
 * added to what is there: a step begins with `clear`.
 */
export function backward({ layers, slope }, inputs, dy, n, { through = false } = {}) {
  for (let i = layers.length - 1; i >= 0; i--) {
    const { inputs: many, outputs, params: [{ values, grad }, b] } = layers[i];
    const x = inputs[i];
    const dx = new Float64Array(n * many);
    for (let row = 0; row < n; row++)
      for (let o = 0; o < outputs; o++) {
        const d = dy[row * outputs + o];
        if (d === 0) continue; // behind a ReLU, half of them
        const [from, to] = [o * many, row * many];
        for (let k = 0; k < many; k++) dx[to + k] += d * values[from + k];
        if (through) continue;
        b.grad[o] += d;
        for (let k = 0; k < many; k++) grad[from + k] += d * x[to + k];
      }
    if (i) for (let k = 0; k < dx.length; k++) if (x[k] <= 0) dx[k] *= slope;
    dy = dx;
  }
  return dy;
}

/** Forgets the gradients, as a step begins. */
export function clear({ layers }) {
  for (const { params } of layers) for (const { grad } of params) grad.fill(0);
}

/** A step of Adam with the gradients that are there. */
export function adam(network, rate, [beta1, beta2] = [0.9, 0.999], eps = 1e-8) {
  network.steps += 1;
  const first = 1 - beta1 ** network.steps;
  const second = Math.sqrt(1 - beta2 ** network.steps);
  for (const { params } of network.layers)
    for (const { values, grad, mean, square } of params)
      for (let i = 0; i < values.length; i++) {
        mean[i] = beta1 * mean[i] + (1 - beta1) * grad[i];
        square[i] = beta2 * square[i] + (1 - beta2) * grad[i] * grad[i];
        values[i] -= rate / first * (mean[i] / (Math.sqrt(square[i]) / second + eps));
      }
}
