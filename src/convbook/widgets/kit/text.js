// Numbers as text, and texts as numbers.

/** A number as it is printed in a cell: at most `digits` decimals and a true minus sign. */
export const fmt = (v, digits = 2) => String(Number(v.toFixed(digits))).replace("-", "−");

/** The same inside a product, where a negative factor needs brackets. */
export const factor = (v) => (v < 0 ? `(${fmt(v)})` : fmt(v));

/** What a reader typed, as a number; NaN when it is none. Both minus signs and a decimal comma are understood. */
export function parse(text) {
  const clean = text.trim().replace("−", "-").replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(clean) ? Number(clean) : NaN;
}
