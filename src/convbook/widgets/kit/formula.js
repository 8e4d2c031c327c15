// Formulas with the numbers put in.
import { extent } from "./arithmetic.js";
import { h } from "./elements.js";
import { fmt } from "./text.js";

/** A letter with its indices, such as dy₀₁. Every index here is below 10. */
export const symbol = (letter, r, c) => [h("i", {}, letter), h("sub", {}, `${r}${c}`)];

/** Nodes with a separator between them. */
export const joined = (parts, sign = " + ") => parts.flatMap((part, k) => (k ? [sign, part] : [part]));

/** A slice as NumPy writes it: `count` cells from `start`, `stride` apart. */
export function slice(start, count, stride) {
  return `${start}:${start + stride * (count - 1) + 1}${stride > 1 ? `:${stride}` : ""}`;
}

/** The numbers of a shape as they stand in the captions: "2 × 3 × 4". */
export const times = (...sizes) => sizes.join(" × ");

/**
 * The output size along one axis, as text with the numbers put in; without `padding` the formula
 * does not mention it.
 */
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
