// Colours as brightness and two differences, as Python's `convbook.images.colour` has them. Pictures
// are Float32Arrays, channel after channel.

const SCALE = 4; // of the differences, for a network

/** The brightness of a picture in red, green and blue, from -1 to 1. */
export function greyOf(rgb) {
  const size = rgb.length / 3;
  return Float32Array.from({ length: size }, (_, i) => 2 * (0.299 * rgb[i] + 0.587 * rgb[size + i] + 0.114 * rgb[2 * size + i]) - 1);
}

/** A picture with the four pixels of each square of 2 × 2 behind each other, as channels. */
export function folded(x, size) {
  const half = size / 2;
  return Float32Array.from({ length: x.length }, (_, i) => {
    const [part, row, col] = [Math.floor(i / (half * half)), Math.floor(i / half) % half, i % half];
    return x[(2 * row + (part >> 1)) * size + 2 * col + (part & 1)];
  });
}

/** Cb and Cr of a picture of size × size, both times 4, the mean of each square of 2 × 2. */
export function differences(rgb, size) {
  const [pixels, half] = [size * size, size / 2];
  const result = new Float32Array(2 * half * half);
  for (let i = 0; i < pixels; i++) {
    const [r, g, b] = [rgb[i], rgb[pixels + i], rgb[2 * pixels + i]];
    const to = (Math.floor(i / size) >> 1) * half + ((i % size) >> 1);
    result[to] += SCALE / 4 * (-0.168736 * r - 0.331264 * g + 0.5 * b);
    result[half * half + to] += SCALE / 4 * (0.5 * r - 0.418688 * g - 0.081312 * b);
  }
  return result;
}

/** A map of half × half made twice as large: a quarter of the neighbour, three of the own number. */
function enlarged(x, half) {
  const size = 2 * half;
  const near = (k) => Math.min(half - 1, Math.max(0, k));
  return Float32Array.from({ length: size * size }, (_, i) => {
    const [row, col] = [Math.floor(i / size), i % size];
    const [r, c] = [row >> 1, col >> 1];
    const [other, beside] = [near(r + (row & 1 ? 1 : -1)), near(c + (col & 1 ? 1 : -1))];
    const at = (k) => 0.75 * x[k * half + c] + 0.25 * x[k * half + beside];
    return 0.75 * at(r) + 0.25 * at(other);
  });
}

/**
 * Red, green and blue from brightness, size × size, and differences of half the size; what is
 * outside 0 to 1 is cut off.
 */
export function coloured(grey, colours, size) {
  const [pixels, half] = [size * size, size / 2];
  const [blue, red] = [0, 1].map((k) => enlarged(colours.subarray(k * half * half, (k + 1) * half * half), half));
  const rgb = new Float32Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const [y, cb, cr] = [(grey[i] + 1) / 2, blue[i] / SCALE, red[i] / SCALE];
    rgb[i] = y + 1.402 * cr;
    rgb[pixels + i] = y - 0.344136 * cb - 0.714136 * cr;
    rgb[2 * pixels + i] = y + 1.772 * cb;
  }
  return rgb.map((v) => Math.min(1, Math.max(0, v)));
}

/** The mean error of both differences, and how strong the colours are, of the true ones. */
export function measured(colours, truth) {
  const size = truth.length / 2;
  let [error, made, real] = [0, 0, 0];
  for (let i = 0; i < size; i++) {
    error += Math.abs(colours[i] - truth[i]) + Math.abs(colours[size + i] - truth[size + i]);
    made += Math.hypot(colours[i], colours[size + i]);
    real += Math.hypot(truth[i], truth[size + i]);
  }
  return { error: error / (2 * size) / SCALE, colourful: made / Math.max(real, 4e-6 * size) };
}

/** A grey picture with strokes over it: a stroke is a shade, a diameter, and cells. */
export function painted(grey, strokes, size) {
  const result = grey.slice();
  for (const { shade, size: wide, cells } of strokes) {
    const reach = Math.floor(wide / 2);
    for (const [row, col] of cells)
      for (let r = Math.max(0, row - reach); r <= Math.min(size - 1, row + reach); r++)
        for (let c = Math.max(0, col - reach); c <= Math.min(size - 1, col + reach); c++)
          if ((r - row) ** 2 + (c - col) ** 2 <= wide ** 2 / 4) result[r * size + c] = 2 * shade / 255 - 1;
  }
  return result;
}
