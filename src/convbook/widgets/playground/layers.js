// The layers of a network, each as pictures of what comes out of it; a click or the arrow keys
// choose one number.
import { clamp } from "../kit/arithmetic.js";
import { h } from "../kit/elements.js";
import { times } from "../kit/formula.js";
import { cover, picture } from "../kit/pictures.js";
import { arrow, cellAt } from "../kit/pointing.js";
import "./layers.css";

export const LONGEST_ROW = 32; // of the numbers of a vector

export const isVector = ({ shape }) => shape.length !== 3;

/** How a stage is drawn: a picture for each channel, or one picture for a whole vector. */
export function drawn({ shape }) {
  if (shape.length === 3) return { pictures: shape[0], rows: shape[1], cols: shape[2] };
  const cols = Math.min(LONGEST_ROW, shape[0]);
  return { pictures: 1, rows: Math.ceil(shape[0] / cols), cols };
}

/** Where a number of a stage, (channel, row, column), is drawn: picture, row, column. */
function spot(stage, [channel, row, col]) {
  if (!isVector(stage)) return [channel, row, col];
  const { cols } = drawn(stage);
  return [0, Math.floor(channel / cols), channel % cols];
}

/** Lays a frame over what lies between the first and the last of the indices that are given. */
export function coverPart(mark, { rows: down, cols: across }, rows, cols) {
  cover(mark, [down[0], across[0], down.at(-1) - down[0] + 1, across.at(-1) - across[0] + 1], rows, cols);
}

/**
 * The stages of a network, the input first: {el, show(outputs), mark(parts, k)}. `unit()` is the
 * number that is chosen, and `choose([stage, channel, row, column])` is called for another.
 */
export function layerPictures({ stages, unit, choose }) {
  const rows = stages.map(layerRow);

  function layerRow(stage, k) {
    const { pictures, rows: height, cols: width } = drawn(stage);
    const maps = Array.from({ length: pictures }, (_, i) => {
      const image = picture({ ink: k === 0 });
      const part = h("span", { class: "cb-part", hidden: true });
      return { el: h("div", { class: "cb-view", "data-map": i }, image.el, part), image, part };
    });
    const pick = (p, r, c) => {
      if (isVector(stage) && r * width + c >= stage.shape[0]) return;
      choose(isVector(stage) ? [k, r * width + c, 0, 0] : [k, p, r, c]);
    };
    const pickAt = (event) => {
      const view = event.target.closest("[data-map]");
      if (view) pick(Number(view.dataset.map), ...cellAt(event, view, height, width));
    };
    const walk = (event) => {
      const move = arrow(event);
      if (!move) return;
      if (unit()[0] !== k) return pick(0, 0, 0);
      let [p, r, c] = spot(stage, unit().slice(1));
      [r, c] = [clamp(r + move[0], 0, height - 1), c + move[1]];
      // Beyond the edge of a picture lies the next one, or the next line of a vector.
      if (c < 0 || c >= width) {
        const by = c < 0 ? -1 : 1;
        if (isVector(stage)) r += by;
        else p += by;
        if (r < 0 || r >= height || p < 0 || p >= pictures) return;
        c = by < 0 ? width - 1 : 0;
      }
      pick(p, r, c);
    };
    const list = h("div", {
      class: `cb-maps${isVector(stage) ? " vector" : ""}`, tabindex: "0", role: "application", "data-lm-suppress-shortcuts": "true",
      "aria-label": `${stage.name}, ${times(...stage.shape)}. The arrow keys choose a number.`,
      onpointermove: (event) => { if (event.pointerType === "mouse" || event.buttons) pickAt(event); },
      onpointerdown: pickAt, onkeydown: walk,
      onfocus: () => { if (unit()[0] !== k && list.matches(":focus-visible")) pick(0, 0, 0); },
    }, maps.map((map) => map.el));
    list.style.setProperty("--cb-across", width);
    list.style.setProperty("--cb-pictures", pictures);
    const caption = h("figcaption", {}, h("b", {}, stage.name), h("span", { class: "cb-shape" }, times(...stage.shape)));
    return { el: h("figure", { class: "cb-layer" }, caption, list), maps };
  }

  return {
    el: h("div", { class: "cb-layers" }, rows.map((row) => row.el)),
    /** The outputs of all stages; null while the pad is empty. */
    show(outputs) {
      stages.forEach((stage, k) => {
        const { pictures, rows: height, cols: width } = drawn(stage);
        const values = outputs?.[k] ?? [];
        const full = k === 0 ? 1 : values.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-12);
        const each = height * width;
        for (let i = 0; i < pictures; i++) rows[k].maps[i].image.show(values.slice(i * each, (i + 1) * each), height, width, full);
      });
    },
    /** Frames the part of each stage that the number chosen in stage k depends on. */
    mark(parts, k) {
      stages.forEach((stage, i) => {
        const { rows: height, cols: width } = drawn(stage);
        rows[i].maps.forEach((map, p) => {
          const part = parts[i];
          const touched = part?.rows.length && part.cols.length && (isVector(stage) || part.channels.includes(p));
          map.part.hidden = !touched;
          map.part.classList.toggle("picked", i === k);
          map.part.classList.toggle("next", i === k - 1);
          if (!touched) return;
          if (!isVector(stage)) coverPart(map.part, part, height, width);
          else if (part.channels.length > 1) cover(map.part, [0, 0, height, width], height, width);
          else {
            const [, r, c] = spot(stage, [part.channels[0], 0, 0]);
            cover(map.part, [r, c, 1, 1], height, width);
          }
        });
      });
    },
  };
}
