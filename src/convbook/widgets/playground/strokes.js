// What was drawn by hand: strokes {points, width} on a pad of PAD × PAD, as a picture and as a
// path.
import { addStroke, blank, PAD, prepare, SIDE, toBytes } from "./digit_image.js";

/**
 * The path of a stroke for the eye: through the middles between its points, rounded off at them.
 */
export function pathOf(points) {
  const at = ([x, y]) => `${x} ${y}`;
  const middles = points.slice(1).map(([x, y], k) => [(x + points[k][0]) / 2, (y + points[k][1]) / 2]);
  return [`M${at(points[0])}`, ...middles.map((m, k) => (k ? `Q${at(points[k])} ${at(m)}` : `L${at(m)}`)),
    `L${at(points.at(-1))}`].join("");
}

/** Strokes made pictures. Those that were there last time are not drawn again. */
export function strokePictures() {
  let inked = { strokes: [], image: blank(PAD, PAD) }; // the strokes that are in the image already
  let latest = {}; // the strokes that were asked for last, and their drawing

  function drawingOf(strokes) {
    if (latest.strokes === strokes) return latest.drawing;
    const kept = inked.strokes.every((s, k) => s === strokes[k]);
    if (!kept) inked = { strokes: [], image: blank(PAD, PAD) };
    // The last one may still grow, and is drawn on a copy.
    for (const s of strokes.slice(inked.strokes.length, -1)) {
      addStroke(inked.image, s);
      inked.strokes.push(s);
    }
    const drawing = { ...inked.image, values: inked.image.values.slice() };
    if (strokes.length) addStroke(drawing, strokes.at(-1));
    latest = { strokes, drawing };
    return drawing;
  }
  /** What the network is given when these strokes are on the pad. */
  const pixelsOf = (strokes, scale, centre) =>
    toBytes(prepare(drawingOf(strokes), scale, centre)?.result ?? blank(SIDE, SIDE));
  return { drawingOf, pixelsOf };
}
