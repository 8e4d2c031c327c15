// Boxes (y0, x0, y1, x1), edges in pixels: the arithmetic of convbook.detection, which the tests
// compare it with in the browser.
import { clamp } from "./arithmetic.js";

const LIMIT = 1000 / 16; // beyond it, codes are cut off
const SPREAD = [0.1, 0.1, 0.2, 0.2];

export const areaOf = ([y0, x0, y1, x1]) => Math.max(y1 - y0, 0) * Math.max(x1 - x0, 0);

/** The area that two boxes have in common. */
export const common = (a, b) => areaOf([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);

/** Intersection over union. */
export function iou(a, b) {
  const both = common(a, b);
  const union = areaOf(a) + areaOf(b) - both;
  return union > 0 ? both / union : 0;
}

export const centreOf = ([y0, x0, y1, x1]) => [(y0 + y1) / 2, (x0 + x1) / 2];

/** How to move and stretch an anchor so that it becomes the box. */
export function encode(box, anchor) {
  const size = (b, axis) => b[axis + 2] - b[axis];
  return [0, 1, 2, 3].map((i) => {
    const axis = i % 2;
    const value = i < 2
      ? clamp((centreOf(box)[axis] - centreOf(anchor)[axis]) / size(anchor, axis), -LIMIT, LIMIT)
      : Math.log(clamp(size(box, axis) / size(anchor, axis), 1 / LIMIT, LIMIT));
    return value / SPREAD[i];
  });
}

/** The anchor of a shape [height, width] at a cell of a feature map. */
export function anchorAt(row, col, stride, [high, wide]) {
  const [y, x] = [(row + 0.5) * stride, (col + 0.5) * stride];
  return [y - high / 2, x - wide / 2, y + high / 2, x + wide / 2];
}

/**
 * Of each anchor, by its overlaps with all things, whether it is positive (1), negative (0) or
 * neither (−1).
 */
export function kindsOf(overlaps, positive, negative) {
  const things = overlaps[0]?.length ?? 0;
  const best = Array.from({ length: things }, (_, t) => Math.max(...overlaps.map((row) => row[t])));
  return overlaps.map((row) => {
    const most = Math.max(0, ...row);
    if ((most >= positive && most > 0) || row.some((v, t) => v > 0 && v === best[t])) return 1;
    return most < negative ? 0 : -1;
  });
}

/**
 * Non-maximum suppression of boxes in the order of their scores, step by step: [{kept, removed:
 * [{index, overlap}, …]}, …]; `apart(i, j)` says which leave each other in peace.
 */
export function suppression(boxes, threshold, apart = () => false) {
  const steps = [];
  let left = boxes.map((_, i) => i);
  while (left.length) {
    const [kept, ...others] = left;
    const removed = others.filter((i) => !apart(kept, i) && iou(boxes[kept], boxes[i]) > threshold)
      .map((index) => ({ index, overlap: iou(boxes[kept], boxes[index]) }));
    steps.push({ kept, removed });
    left = others.filter((i) => !removed.some(({ index }) => index === i));
  }
  return steps;
}

/** The cell of a grid that the centre of a box lies in, [row, column]. */
export const cellOf = (box, grid, [height, width]) =>
  centreOf(box).map((v, axis) => clamp(Math.floor(v * grid / [height, width][axis]), 0, grid - 1));

/** Of each box, whether its cell of the grid answers for it: the largest one of a cell has it. */
export function answeredFor(boxes, grid, size) {
  const cells = boxes.map((box) => cellOf(box, grid, size).join());
  return boxes.map((box, i) => !boxes.some((other, j) => j !== i && cells[i] === cells[j]
    && (areaOf(other) > areaOf(box) || (areaOf(other) === areaOf(box) && j < i))));
}
