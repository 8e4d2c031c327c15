// Regions of interest on one channel of a feature map: the arithmetic of convbook.detection, which
// the tests compare it with in the browser.
import { build, clamp, firstLargest, shapeOf } from "./arithmetic.js";

/** Rounded, halves away from zero. */
const rounded = (v) => Math.sign(v) * Math.floor(Math.abs(v) + 0.5);

/** The cells of a region along one axis, [first, beyond], and of each of its parts. */
function cellsAlong(low, high, cells, count, scale) {
  const first = rounded(low * scale);
  const length = Math.max(rounded(high * scale) - first + 1, 1);
  const parts = Array.from({ length: count }, (_, i) => [
    clamp(Math.floor(i * length / count) + first, 0, cells), clamp(Math.ceil((i + 1) * length / count) + first, 0, cells),
  ]);
  return { region: [first, first + length], parts };
}

/**
 * Max pooling of a box in size × size parts: {y, region, partCells(i, j), best(i, j)}; the region is
 * a box in cells.
 */
export function roiMaxPool(x, box, size, scale) {
  const axes = shapeOf(x).map((cells, axis) => cellsAlong(box[axis], box[axis + 2], cells, size, scale));
  const partCells = (i, j) => {
    const [[top, bottom], [left, right]] = [axes[0].parts[i], axes[1].parts[j]];
    return build(Math.max(bottom - top, 0), Math.max(right - left, 0), (r, c) => ({ r: top + r, c: left + c })).flat();
  };
  const best = (i, j) => { const cells = partCells(i, j); return cells.length ? firstLargest(x, cells) : null; };
  return {
    y: build(size, size, (i, j) => { const at = best(i, j); return at ? x[at.r][at.c] : 0; }),
    region: [axes[0].region[0], axes[1].region[0], axes[0].region[1], axes[1].region[1]],
    partCells,
    best,
  };
}

/** The two neighbours of a point along one axis, [[cell, weight], …]; none of a point outside. */
function neighbours(point, cells) {
  if (point < -1 || point > cells) return [];
  const at = clamp(point, 0, cells - 1);
  const low = Math.min(Math.floor(at), Math.max(cells - 2, 0));
  return [[low, 1 - (at - low)], [low + 1, at - low]].filter(([cell, weight]) => weight > 0 && cell < cells);
}

/**
 * RoIAlign of a box in size × size parts: {y, points(i, j)}. A point is {r, c, value, terms: [{r, c,
 * weight}, …]}, its place counted in cells from the centre of the first.
 */
export function roiAlign(x, box, size, scale, samples) {
  const places = [0, 1].map((axis) => Array.from({ length: size * samples }, (_, k) =>
    (box[axis] + (k + 0.5) / (size * samples) * (box[axis + 2] - box[axis])) * scale - 0.5));
  const point = (a, b) => {
    const [r, c] = [places[0][a], places[1][b]];
    const terms = neighbours(r, x.length).flatMap(([row, down]) =>
      neighbours(c, x[0].length).map(([col, along]) => ({ r: row, c: col, weight: down * along })));
    return { r, c, terms, value: terms.reduce((sum, t) => sum + t.weight * x[t.r][t.c], 0) };
  };
  const points = (i, j) => build(samples, samples, (a, b) => point(i * samples + a, j * samples + b)).flat();
  return { y: build(size, size, (i, j) => points(i, j).reduce((sum, p) => sum + p.value, 0) / samples ** 2), points };
}
