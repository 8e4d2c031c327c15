// What a reader does to a picture before the network sees it. Maps are Float32Arrays, row by row.
import { seededRandom } from "../kit/random.js";

/** A square map turned about its centre, counterclockwise; outside, its edge goes on. */
export function turned(x, size, degrees) {
  if (degrees === 0) return x;
  const angle = degrees / 180 * Math.PI;
  const tidy = (v) => (Math.abs(v - Math.round(v)) < 1e-9 ? Math.round(v) : v);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)].map(tidy);
  const centre = (size - 1) / 2;
  const y = new Float32Array(x.length);
  const at = (r, c) => x[Math.min(size - 1, Math.max(0, r)) * size + Math.min(size - 1, Math.max(0, c))];
  for (let row = 0, to = 0; row < size; row++)
    for (let col = 0; col < size; col++, to++) {
      const [right, down] = [col - centre, row - centre];
      const [px, py] = [cos * right - sin * down + centre, sin * right + cos * down + centre].map(tidy);
      const [c, r] = [Math.floor(px), Math.floor(py)];
      const [dx, dy] = [px - c, py - r];
      const upper = at(r, c) + dx * (at(r, c + 1) - at(r, c));
      const lower = at(r + 1, c) + dx * (at(r + 1, c + 1) - at(r + 1, c));
      y[to] = upper + dy * (lower - upper);
    }
  return y;
}

/**
 * Normally distributed numbers in pairs, as Python's `normal_numbers` draws them from this seed.
 */
export function normalNumbers(seed, count) {
  const random = seededRandom(seed);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    values[i] = radius * Math.cos(angle);
    values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

/**
 * A picture with another contrast, and with a scanner's noise: `normal` holds two numbers for each
 * pixel, one for the real part and one for the imaginary part, of which the length is shown.
 */
export function spoiled(x, contrast, noise, normal) {
  return x.map((v, i) => {
    const grey = Math.min(1, Math.max(0, 0.5 + contrast * (v - 0.5)));
    return noise ? Math.hypot(grey + noise * normal[2 * i], noise * normal[2 * i + 1]) : grey;
  });
}

/** A picture with mean 0 and standard deviation 1. */
export function standardised(x) {
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
  const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length;
  const scale = 1 / (Math.sqrt(variance) + 1e-3);
  return x.map((v) => (v - mean) * scale);
}
