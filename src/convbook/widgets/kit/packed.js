// Numbers out of the text in which they travel in a page.
import { inflate } from "./inflate.js";

/** The bytes that a base64 text stands for. */
export function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** The float32 numbers that a base64 text stands for. */
export const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);

/**
 * The numbers that Python's `packed` stored: {shape, low, largest, part(i, j, …)}; a part is a
 * Float32Array of what lies behind the first indices. `low` is the least number that could be
 * stored, `largest` the largest.
 */
export function unpack({ shape, low, step, bytes, data }) {
  const { buffer } = inflate(bytesOf(data), bytes * shape.reduce((a, b) => a * b));
  const steps = bytes === 1 ? new Uint8Array(buffer) : new Uint16Array(buffer);
  const sizes = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  // What is stored along the first axis are differences; the sums run over, and so did the
  // differences.
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
