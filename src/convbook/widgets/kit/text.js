// Numbers as text.

/** A number as it is printed in a cell: at most `digits` decimals and a true minus sign. */
export const fmt = (v, digits = 2) => String(Number(v.toFixed(digits))).replace("-", "−");

/** The same inside a product, where a negative factor needs brackets. */
export const factor = (v) => (v < 0 ? `(${fmt(v)})` : fmt(v));
