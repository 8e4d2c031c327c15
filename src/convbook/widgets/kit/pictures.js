// Arrays as pictures, one pixel for each number.
import { h } from "./elements.js";
import "./pictures.css";

/**
 * A colour of the sheets, such as "--cb-pos", as [red, green, blue]; black where the page has no
 * sheets.
 */
function colourOf(name) {
  const probe = h("span", { class: "convbook-widget", hidden: true });
  document.body.append(probe);
  const context = h("canvas").getContext("2d");
  context.fillStyle = getComputedStyle(probe).getPropertyValue(name).trim();
  probe.remove();
  return [1, 3, 5].map((at) => parseInt(context.fillStyle.slice(at, at + 2), 16));
}

let colours = null; // read once: neither of them changes with the theme
const pictureColours = () => {
  colours ??= { ink: [0, 0, 0], pos: colourOf("--cb-pos"), neg: colourOf("--cb-neg") };
  return colours;
};

/**
 * A picture with one pixel for each number: blue above zero, orange below, the deeper the larger;
 * or `ink`, which is black on a light page and white on a dark one. The page's ground shines
 * through. {el, show(values, rows, cols, scale)}
 */
export function picture({ ink = false, label } = {}) {
  const el = h("canvas", { class: `cb-picture${ink ? " ink" : ""}`, ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }) });
  return {
    el,
    show(values, rows, cols, scale = 1) {
      if (el.width !== cols || el.height !== rows) [el.width, el.height] = [cols, rows];
      const context = el.getContext("2d");
      const image = context.createImageData(cols, rows);
      const { data } = image;
      const { ink: black, pos, neg } = pictureColours();
      for (let i = 0; i < rows * cols; i++) {
        const value = values[i] ?? 0;
        const colour = ink ? black : value < 0 ? neg : pos;
        data[4 * i] = colour[0];
        data[4 * i + 1] = colour[1];
        data[4 * i + 2] = colour[2];
        data[4 * i + 3] = 255 * Math.min(1, Math.abs(value) / scale); // is rounded
      }
      context.putImageData(image, 0, 0);
    },
  };
}

/**
 * A picture in colours from three channels one after the other: numbers from 0 to 1, or `signed`,
 * where 0 is a middle grey.
 */
export function colourPicture({ signed = false } = {}) {
  const el = h("canvas", { class: "cb-picture", "aria-hidden": "true" });
  const context = el.getContext("2d");
  return {
    el,
    show(values, rows, cols, scale = 1) {
      if (el.width !== cols || el.height !== rows) [el.width, el.height] = [cols, rows];
      const image = context.createImageData(cols, rows);
      const size = rows * cols;
      for (let i = 0; i < size; i++) {
        const colour = [0, 1, 2].map((c) => values[c * size + i] / scale);
        image.data.set([...colour.map((v) => 255 * (signed ? (v + 1) / 2 : v)), 255], 4 * i);
      }
      context.putImageData(image, 0, 0);
    },
  };
}

/**
 * Lays a frame over a part of a picture of rows × cols: `high` and `wide` cells, from (row, col)
 * on.
 */
export function cover(frame, [row, col, high, wide], rows, cols) {
  const box = { left: col / cols, top: row / rows, width: wide / cols, height: high / rows };
  for (const [side, part] of Object.entries(box)) frame.style[side] = `${100 * part}%`;
}
