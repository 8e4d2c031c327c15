// Curves over an axis. The second curve of a plot, "central", has dashes and squares, so that
// colour is not all.
import { h, svg } from "./elements.js";
import "./plot.css";

/** The mark of a curve at (x, y): a circle, or for "central" a square. */
export function point(curve, x, y, radius, more = {}) {
  const cls = `cb-point ${curve}`.trim();
  if (curve !== "central") return svg("circle", { class: cls, cx: x, cy: y, r: radius, ...more });
  return svg("rect", { class: cls, x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius, ...more });
}

/** A piece of a curve and what it stands for. */
export function keyOf(curve, text) {
  return h("span", { class: "cb-key" }, svg("svg", { width: 30, height: 12, "aria-hidden": "true" },
    svg("path", { class: `cb-curve ${curve}`, d: "M0 6H30" }), point(curve, 15, 6, 4)), text);
}

/** The same for a line that guides the eye. */
export function keyOfGuide(text) {
  return h("span", { class: "cb-key" }, svg("svg", { width: 30, height: 12, "aria-hidden": "true" },
    svg("path", { class: "cb-guide", d: "M0 6H30" })), text);
}
