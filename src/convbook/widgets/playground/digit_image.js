// From a drawing to a picture as those of MNIST are: the same steps as in Python's
// convbook.digit_image. A picture is {rows, cols, values}, from 0 (paper) to 1 (ink).
import { clamp } from "../kit/arithmetic.js";

export const PAD = 280; // the drawing's cells along each side
export const SIDE = 28; // of the picture that the network reads
export const BOX = 20;
const MIDDLE = 14; // where MNIST has the centre of mass, counted from 0
export const STEP = PAD / SIDE;

export const blank = (rows, cols) => ({ rows, cols, values: new Float64Array(rows * cols) });
const rounded = (value) => Math.floor(value + 0.5);

/**
 * Adds a line drawn with a round pen to a picture: 1 where the pen was, and something between at
 * the line's edge.
 */
export function addStroke(image, { points, width }) {
  const reach = width / 2 + 1;
  points.forEach((start, k) => {
    const end = points[Math.min(k + 1, points.length - 1)];
    const [dx, dy] = [end[0] - start[0], end[1] - start[1]];
    const length = Math.max(dx * dx + dy * dy, 1e-12);
    const last = (a, b, size) => Math.min(size - 1, Math.ceil(Math.max(a, b) + reach));
    const first = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - reach));
    for (let r = first(start[1], end[1]); r <= last(start[1], end[1], image.rows); r++)
      for (let c = first(start[0], end[0]); c <= last(start[0], end[0], image.cols); c++) {
        const [x, y] = [c + 0.5 - start[0], r + 0.5 - start[1]];
        const along = clamp((x * dx + y * dy) / length, 0, 1); // where on the line the nearest point is
        const [ex, ey] = [x - along * dx, y - along * dy];
        const ink = clamp(width / 2 - Math.sqrt(ex * ex + ey * ey) + 0.5, 0, 1);
        const i = r * image.cols + c;
        if (ink > image.values[i]) image.values[i] = ink;
      }
  });
}

/** The smallest box that holds all ink: {top, left, rows, cols}; null if there is none. */
export function inkBox({ rows, cols, values }) {
  let [top, left, bottom, right] = [rows, cols, -1, -1];
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++) {
      if (!values[r * cols + c]) continue;
      top = Math.min(top, r);
      bottom = r;
      left = Math.min(left, c);
      right = Math.max(right, c);
    }
  return bottom < 0 ? null : { top, left, rows: bottom - top + 1, cols: right - left + 1 };
}

export function crop(image, { top, left, rows, cols }) {
  const part = blank(rows, cols);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++) part.values[r * cols + c] = image.values[(top + r) * image.cols + left + c];
  return part;
}

/**
 * For each new cell along one axis the first of the old ones that it covers, and how much of it
 * each of them makes.
 */
function shares(size, newSize) {
  return Array.from({ length: newSize }, (_, k) => {
    const [from, to] = [k * (size / newSize), (k + 1) * (size / newSize)];
    const first = Math.floor(from);
    const weights = [];
    for (let old = first; old < Math.min(size, to); old++)
      weights.push((Math.min(to, old + 1) - Math.max(from, old)) * (newSize / size));
    return { first, weights };
  });
}

/** A picture in another size: each new pixel is the average of what it covers. */
function resize(image, rows, cols) {
  const result = blank(rows, cols);
  const across = shares(image.cols, cols);
  shares(image.rows, rows).forEach((down, r) => across.forEach((over, c) => {
    let sum = 0;
    for (let y = 0; y < down.weights.length; y++) {
      const start = (down.first + y) * image.cols + over.first;
      for (let x = 0; x < over.weights.length; x++) sum += down.weights[y] * over.weights[x] * image.values[start + x];
    }
    result.values[r * cols + c] = sum;
  }));
  return result;
}

/** A picture in an empty one of SIDE × SIDE, moved inside where it sticks out. */
function place(image, top, left) {
  const result = blank(SIDE, SIDE);
  const [t, l] = [clamp(top, 0, SIDE - image.rows), clamp(left, 0, SIDE - image.cols)];
  image.values.forEach((value, i) => { result.values[(t + Math.floor(i / image.cols)) * SIDE + l + (i % image.cols)] = value; });
  return result;
}

function centreByMass(image) {
  let [mass, row, col] = [0, 0, 0];
  image.values.forEach((value, i) => {
    mass += value;
    row += value * Math.floor(i / image.cols);
    col += value * (i % image.cols);
  });
  return place(image, rounded(MIDDLE - row / mass), rounded(MIDDLE - col / mass));
}

/** A picture of SIDE × SIDE bytes as it looks on the pad. */
export function enlarged(pixels) {
  const image = blank(PAD, PAD);
  for (let r = 0; r < PAD; r++)
    for (let c = 0; c < PAD; c++) image.values[r * PAD + c] = pixels[Math.floor(r / STEP)][Math.floor(c / STEP)] / 255;
  return image;
}

/** All steps from the drawing to the picture, null if there is no ink: {box, small, result}. */
export function prepare(drawing, scale, centre) {
  const box = inkBox(drawing);
  if (!box) return null;
  let small;
  let corner;
  if (scale) {
    const longest = Math.max(box.rows, box.cols);
    const [rows, cols] = [box.rows, box.cols].map((n) => Math.max(1, rounded(n * BOX / longest)));
    small = resize(crop(drawing, box), rows, cols);
    corner = [rounded((box.top + box.rows / 2) * SIDE / PAD - rows / 2), rounded((box.left + box.cols / 2) * SIDE / PAD - cols / 2)];
  } else {
    const whole = resize(drawing, SIDE, SIDE);
    const part = inkBox(whole);
    small = crop(whole, part);
    corner = [part.top, part.left];
  }
  return { box, small, result: centre ? centreByMass(small) : place(small, ...corner) };
}

export const toBytes = ({ values }) => Array.from({ length: SIDE }, (_, r) =>
  Array.from(values.subarray(r * SIDE, (r + 1) * SIDE), (v) => Math.floor(255 * v + 0.5)));
