// Clouds of points in the plane, as in Python's convbook.datasets.plane: flat arrays x, y, x, y, …

const pairs = (n, x, y) => Float64Array.from({ length: 2 * n }, (_, i) => Math.fround((i % 2 ? y : x)(i >> 1)));

const OWN_SPREAD = 0.06;

/** `draw(n, {uniform, normal})` of each cloud. */
export const CLOUDS = {
  banana(n, { normal }) {
    const [x, off] = [normal(n), normal(n)];
    return pairs(n, (i) => x[i], (i) => 0.5 * x[i] * x[i] - 0.8 + 0.25 * off[i]);
  },
  ring(n, { uniform, normal }) {
    const angle = uniform(n).map((u) => 2 * Math.PI * Math.floor(8 * u) / 8);
    const off = normal(2 * n);
    return pairs(n, (i) => 2 * Math.cos(angle[i]) + 0.08 * off[i], (i) => 2 * Math.sin(angle[i]) + 0.08 * off[n + i]);
  },
  clouds(n, { uniform, normal }) {
    const side = uniform(n).map((u) => (u < 0.5 ? -1.5 : 1.5));
    const [x, y] = [normal(n), normal(n)];
    return pairs(n, (i) => side[i] + 0.35 * x[i], (i) => 0.35 * y[i]);
  },
  spiral(n, { uniform, normal }) {
    const along = uniform(n).map(Math.sqrt);
    const [x, y] = [normal(n), normal(n)];
    const at = (of, i) => 2.3 * along[i] * of(3 * Math.PI * along[i]);
    return pairs(n, (i) => at(Math.cos, i) + 0.08 * x[i], (i) => at(Math.sin, i) + 0.08 * y[i]);
  },
};

/** A cloud about points [x, y] that a reader has set. */
export const cloudOf = (points) => (n, { uniform, normal }) => {
  const chosen = uniform(n).map((u) => Math.floor(u * points.length));
  const [x, y] = [normal(n), normal(n)];
  return pairs(n, (i) => points[chosen[i]][0] + OWN_SPREAD * x[i], (i) => points[chosen[i]][1] + OWN_SPREAD * y[i]);
};
