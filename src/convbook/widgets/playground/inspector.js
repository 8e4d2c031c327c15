// One number of a network explained: what of the picture it depends on, and what its layer made it
// from.
import { h } from "../kit/elements.js";
import { times } from "../kit/formula.js";
import { asMaps } from "../kit/network.js";
import { picture } from "../kit/pictures.js";
import { fmt } from "../kit/text.js";
import { SIDE } from "./digit_image.js";
import { coverPart, isVector, LONGEST_ROW } from "./layers.js";
import "./inspector.css";

const line = (...text) => h("div", { class: "cb-howmade" }, text);

/**
 * What a layer with weights or a window reads for the number (channel, row, col): {maps, height,
 * width, at}. The numbers come as so many maps; `at(m, r, c)` is the place of one in the layer's
 * input, undefined in the padding.
 */
function readsOf({ kind, kernel, stride, dilation, padding, from }, form, length, [channel, row, col]) {
  if (kind === "linear" && form) {
    const [maps, height, width] = form;
    return { maps, height, width, at: (m, r, c) => (m * height + r) * width + c };
  }
  if (kind === "linear") {
    const width = Math.min(LONGEST_ROW / 2, length);
    const at = (m, r, c) => (r * width + c < length ? r * width + c : undefined);
    return { maps: 1, height: Math.ceil(length / width), width, at };
  }
  const [, hx, wx] = asMaps(from);
  const [height, width] = kernel;
  const at = (m, r, c) => {
    const y = row * stride[0] + r * dilation[0] - padding[0][0];
    const x = col * stride[1] + c * dilation[1] - padding[1][0];
    const map = kind === "conv" ? m : channel;
    return y >= 0 && y < hx && x >= 0 && x < wx ? (map * hx + y) * wx + x : undefined;
  };
  return { maps: kind === "conv" ? from[0] : 1, height, width, at };
}

/**
 * How a layer makes one number: what it reads, as pictures, times its weights, as pictures below.
 */
function madeOf(layer, before, x, place, value) {
  const { kind } = layer;
  const [channel, row, col] = place;
  if (kind === "relu") {
    const [, hx, wx] = asMaps(layer.from);
    const given = x[(channel * hx + row) * wx + col];
    return [line(given > 0 ? `${fmt(given, 3)} is above zero and passes.` : `${fmt(given, 3)} is not above zero, and becomes 0.`)];
  }
  if (kind === "flatten") return [line("The same number, in a row with all others.")];
  const weighs = kind === "conv" || kind === "linear";
  // A linear layer behind Flatten reads the maps in front of it: its weights look best in their
  // form.
  const form = before?.kind === "flatten" && before.from.length === 3 ? before.from : null;
  const { maps, height, width, at } = readsOf(layer, form, x.length, place);
  const fullX = Math.max(1e-12, ...x.map(Math.abs));
  const count = maps * height * width;
  const weights = weighs ? layer.weights.subarray(channel * (layer.weights.length / layer.shape[0])) : null;
  const fullW = weights ? Math.max(1e-12, ...weights.subarray(0, count).map(Math.abs)) : 1;
  const pairs = Array.from({ length: maps }, (_, m) => {
    const cells = Array.from({ length: height * width }, (__, i) => at(m, Math.floor(i / width), i % width));
    const patch = picture();
    patch.show(cells.map((i) => x[i] ?? 0), height, width, fullX);
    if (!weighs) return h("div", { class: "cb-pairing" }, patch.el);
    const filter = picture();
    const first = m * height * width;
    filter.show(weights.subarray(first, first + height * width), height, width, fullW);
    return h("div", { class: "cb-pairing" }, patch.el, filter.el);
  });
  const numbers = kind === "linear" ? x.length : count;
  const bias = layer.bias?.[channel] ?? 0;
  const text = kind === "max" ? `The largest of ${count} numbers.` : kind === "average" ? `The average of ${count} numbers.`
    : `What it reads, times its weights (${maps === 1 ? "on the right" : "below"}): ${numbers} products, which add up to `
      + `${fmt(value - bias, 3)}${layer.bias ? `. With the bias of ${fmt(bias, 3)} this makes ${fmt(value, 3)}` : ""}.`;
  const box = h("div", { class: "cb-pairs", "aria-hidden": "true" }, pairs);
  box.style.setProperty("--cb-pairs", maps <= 4 ? maps : 8);
  box.style.setProperty("--cb-pairs-wide", maps <= 4 ? maps : maps <= 8 ? 4 : 8);
  box.classList.toggle("single", maps === 1);
  return [box, line(text)];
}

/**
 * {el, look(pixels), show({stages, outputs, parts, unit})}; `parts[0]` is the part of the picture
 * that the unit depends on.
 */
export function inspector() {
  const looked = picture({ ink: true, label: "The picture that the network reads" });
  const field = h("span", { class: "cb-part" });
  const what = h("div", { class: "cb-what" });
  const fieldText = h("div", { class: "cb-fieldtext" });
  const products = h("div", { class: "cb-products" });
  return {
    el: h("div", { class: "cb-inspector", role: "group", "aria-label": "One number explained", "aria-live": "polite" },
      h("div", { class: "cb-view" }, looked.el, field), h("div", { class: "cb-explained" }, what, fieldText), products),
    look: (pixels) => looked.show(pixels, SIDE, SIDE),
    show({ stages, outputs, parts, unit: [k, ...place] }) {
      const stage = stages[k];
      const [channel, row, col] = place;
      const { rows: down, cols: across } = parts[0];
      field.hidden = !down.length || !across.length; // a window that lies in the padding altogether
      if (!field.hidden) coverPart(field, parts[0], SIDE, SIDE);
      field.dataset.rows = down.join(" ");
      field.dataset.cols = across.join(" ");
      const all = down.length + across.length === 2 * SIDE;
      fieldText.textContent = k === 0 ? "" : field.hidden ? "It depends on no pixel." : all ? "It depends on all pixels."
        : `It depends on ${times(down.length, across.length)} of the ${times(SIDE, SIDE)} pixels: `
          + `rows ${down[0]}–${down.at(-1)}, columns ${across[0]}–${across.at(-1)}.`;
      const values = outputs?.[k];
      const [channels, height, width] = asMaps(stage.shape);
      const index = (channel * height + row) * width + col;
      const where = isVector(stage) ? `number ${channel}` : `${channels > 1 ? `channel ${channel}, ` : ""}row ${row}, column ${col}`;
      what.replaceChildren(h("span", { class: "cb-shape" }, `${stage.name}, ${where}`),
        values ? h("b", { class: "cb-result", "data-value": values[index] }, fmt(values[index], 3))
          : h("span", { class: "cb-result" }, "–"));
      products.replaceChildren(...(values && k ? madeOf(stage, stages[k - 1], outputs[k - 1], place, values[index]) : []));
    },
  };
}
