// Pictures moved by matrices. A picture is {width, height, data} as a canvas has it: red, green,
// blue and opacity, row by row. Matrices are those of Python's `convbook.images.affine`: points (x,
// y, 1) in pixels from the centre, x to the right and y down.
import { build, clamp } from "./arithmetic.js";

/** The product of two 3 × 3 matrices. */
export const matmul = (a, b) => build(3, 3, (r, c) => a[r].reduce((sum, v, k) => sum + v * b[k][c], 0));

/** The inverse of a matrix whose last row is 0, 0, 1. */
export function invertAffine([[a, b, right], [c, d, down]]) {
  const determinant = a * d - b * c;
  const [p, q, r, s] = [d, -b, -c, a].map((v) => v / determinant);
  return [[p, q, -(p * right + q * down)], [r, s, -(r * right + s * down)], [0, 0, 1]];
}

/**
 * The pixel that stands for one at `place`, which may lie outside an axis of this length; -1: a
 * zero.
 */
function insideAxis(place, length, mode) {
  if (place >= 0 && place < length) return place;
  if (mode === "zero") return -1;
  if (mode === "edge" || length === 1) return clamp(place, 0, length - 1);
  const period = 2 * (length - 1);
  const within = ((place % period) + period) % period;
  return within < length ? within : period - within;
}

/**
 * Where a pixel of a transformed picture comes from: {row, col} in the old picture, and the four
 * pixels around it that are mixed, each {r, c, weight}, or r = -1 where a zero is taken instead.
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

/**
 * A picture moved with a matrix and sampled bilinearly, then multiplied by `brightness`; its
 * numbers are not rounded.
 */
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
