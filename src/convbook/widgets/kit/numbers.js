// What a reader typed, as a number: one rule for all cells, and words for what was made of it.

const SPACES = /[\s\u00a0\u2009\u202f]/;
const DIGITS = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const UNFINISHED = /(^[+-]?|[/e]|e[+-]|[,.'’])$/i;

/** Digits with separators as JavaScript writes them; "" where the groups make no sense. */
function plain(digits) {
  let text = digits;
  // Apostrophes and spaces may stand between groups of three digits only.
  if (/['’]/.test(text) || SPACES.test(text)) {
    if (!/^\d{1,3}(['’\s\u00a0\u2009\u202f]\d{3})+([.,]\d*)?$/.test(text)) return "";
    text = text.replace(/['’\s\u00a0\u2009\u202f]/g, "");
  }
  const [commas, points] = [",", "."].map((sign) => text.split(sign).length - 1);
  if (commas && points) { // the last one is the decimal sign
    const [decimal, group] = text.lastIndexOf(",") > text.lastIndexOf(".") ? [",", "."] : [".", ","];
    const [whole, part, ...more] = text.split(decimal);
    if (more.length || !/^\d{1,3}(\D\d{3})+$/.test(whole)) return "";
    return `${whole.replaceAll(group, "")}.${part}`;
  }
  if (commas > 1 || points > 1) return /^\d{1,3}(\D\d{3})+$/.test(text) ? text.replace(/\D/g, "") : "";
  // A comma before exactly three digits separates thousands, any other is a decimal comma.
  if (/^[1-9]\d{0,2},\d{3}$/.test(text)) return text.replace(",", "");
  return text.replace(",", ".");
}

/** A number without a fraction bar: {value, read}, where `read` says that separators were read. */
function single(text) {
  const [, sign, rest] = /^([+-]?)\s*(.*)$/.exec(text.trim().replace(/[−–]/, "-"));
  const [, digits, power] = /^([^e]*)(e.*)?$/i.exec(rest);
  const clean = plain(digits) + (power ?? "");
  const value = DIGITS.test(clean) ? Number(clean) * (sign === "-" ? -1 : 1) : NaN;
  return { value, read: /[,'’]/.test(digits) || SPACES.test(digits) || /\..*\./.test(digits) };
}

const written = (value) => String(Number(value.toPrecision(10))).replace("-", "−");

/**
 * The number in a text, below `most` by absolute value: {value, said, unfinished}. A fraction such
 * as 7/2 is one, too, and so are 1e3, 9,920 and 2,5. `value` is null for an empty text and NaN for
 * what is no such number; `said` is then why, and otherwise how separators were read, if there are
 * any. `unfinished`: it may become a number with the next key.
 */
export function readNumber(text, most = 1e6) {
  if (!text.trim()) return { value: null, said: "", unfinished: true };
  const [top, bottom, ...more] = text.split("/").map(single);
  const value = more.length ? NaN : top.value / (bottom ? bottom.value : 1);
  if (!Number.isFinite(value)) {
    const unfinished = UNFINISHED.test(text.trim().replace(/[−–]/, "-"));
    return { value: NaN, said: `“${text.trim()}” is no number I can read; try −3, 2.5, 7/2 or 1e3.`, unfinished };
  }
  if (Math.abs(value) >= most) {
    return { value: NaN, said: `“${text.trim()}” is too large: numbers here stay below ${most.toLocaleString("en")}.` };
  }
  const read = top.read || bottom?.read;
  return { value, said: read ? `“${text.trim()}” is read as ${written(value)}.` : "", unfinished: false };
}
