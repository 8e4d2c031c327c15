// What the network says, in words.

export const named = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;

export const percent = (p) => (p > 0.9995 ? "> 99.9 %" : p < 0.0005 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`);

/** A sentence for the probabilities of the ten digits. */
export function sentence(probabilities) {
  const [first, second] = probabilities.map((p, digit) => ({ p, digit })).sort((a, b) => b.p - a.p);
  if (first.p >= 0.9) return `It reads ${named(first.digit)}.`;
  if (first.p >= 0.6) return `It reads ${named(first.digit)}, perhaps ${named(second.digit)}.`;
  return `It is not sure: ${named(first.digit)} or ${named(second.digit)}?`;
}
