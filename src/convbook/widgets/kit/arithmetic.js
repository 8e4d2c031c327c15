// The arithmetic of convolution and pooling; the tests compare it with convbook.functional in the
// browser.

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

/**
 * The cells of the padded input under output cell (row, col): [{r, c, fr, fc}, …] in filter order.
 */
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

/** Length of the output of a transposed convolution along one axis (0 or less: nothing is left). */
export const transposedSize = (size, kernel, stride = 1, padding = 0, outputPadding = 0) =>
  (size - 1) * stride - 2 * padding + kernel + outputPadding;

/**
 * A transposed convolution of two matrices, by laying the filter down at each pixel; null when the
 * padding leaves nothing.
 */
export function convTranspose2d(x, f, { stride = 1, padding = 0, outputPadding = 0 } = {}) {
  const [oh, ow] = shapeOf(x).map((n, axis) => transposedSize(n, shapeOf(f)[axis], stride, padding, outputPadding));
  if (oh < 1 || ow < 1) return null;
  const y = build(oh, ow, () => 0);
  x.forEach((line, row) => line.forEach((value, col) => {
    for (const k of windowCells(row, col, ...shapeOf(f), stride)) {
      const [r, c] = [k.r - padding, k.c - padding];
      if (y[r]?.[c] !== undefined) y[r][c] += value * f[k.fr][k.fc];
    }
  }));
  return y;
}

/**
 * `x` with its pixels `stride` cells apart and zeros between them; around it `above` rows and
 * `beside` columns of zeros, or where that is below zero, so many cut off; `extra` more at the end.
 * Each cell is {value, isPixel, between: whether it lies between pixels}.
 */
export function dilated(x, stride, [above, beside], extra = 0) {
  const [rows, cols] = shapeOf(x).map((n) => (n - 1) * stride + 1);
  return build(rows + 2 * above + extra, cols + 2 * beside + extra, (r, c) => {
    const [i, j] = [r - above, c - beside];
    const inside = i >= 0 && i < rows && j >= 0 && j < cols;
    const isPixel = inside && i % stride === 0 && j % stride === 0;
    return { value: isPixel ? x[i / stride][j / stride] : 0, isPixel, between: inside && !isPixel };
  });
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
 * Gradients of a convolution of two matrices: `dx` of the padded input, with what falls on the
 * padding still in it, and `df`. Each output adds its dy · f to the cells of its window, and its dy
 * · x to the filter.
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

// A layer's output is a flat Float32Array in the order (channel, row, column). A layer is what
// Python's `describe` makes of it: its kind, the shape of its output, and for those that slide a
// window kernel, stride, dilation and padding as pairs (vertical, horizontal), padding as [[top,
// bottom], [left, right]].
