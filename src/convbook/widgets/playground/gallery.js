// Digits and drawings to begin with.
import { button, h, svg } from "../kit/elements.js";
import { bytesOf } from "../kit/packed.js";
import { picture } from "../kit/pictures.js";
import { PAD, SIDE } from "./digit_image.js";
import { pathOf } from "./strokes.js";
import { named } from "./words.js";
import "./gallery.css";

// None of them is where MNIST has its digits.
const SKETCHES = {
  "a small 3 in a corner": [{ width: 9, points: [[22, 30], [34, 21], [49, 20], [60, 27], [61, 38], [53, 47], [39, 51],
    [54, 55], [64, 65], [63, 79], [51, 89], [35, 90], [21, 82]] }],
  "a 7 at the side": [{ width: 20, points: [[175, 66], [262, 62], [244, 112], [222, 168], [208, 228]] }],
  "a 0 at the bottom": [{ width: 15, points: [[124, 160], [104, 178], [94, 208], [98, 242], [116, 262], [142, 264], [164, 246],
    [172, 214], [164, 182], [146, 162], [124, 160]] }],
};

const group = (name, items) => items.length > 0 && h("div", { class: "cb-gallery", role: "group", "aria-label": name },
  h("span", { class: "cb-galleryname" }, name), h("div", { class: "cb-thumbs" }, items.map((item) => item.el)));

/**
 * Test digits and drawings: {els, exampleOf(pixels), draw(), press(example), pressSketch(strokes)}.
 * `choose(pixels)` is called for a digit, `sketch(strokes)` for a drawing. `drawings` are strokes
 * by name, and `title` what they have in common.
 */
export function galleries({ stored, choose, sketch, drawings = SKETCHES, title = "Drawings of another size, in another place" }) {
  const examples = stored.map((example) => {
    const bytes = bytesOf(example.pixels);
    const pixels = Array.from({ length: SIDE }, (_, r) => Array.from(bytes.subarray(r * SIDE, (r + 1) * SIDE)));
    return { ...example, pixels, text: JSON.stringify(pixels) };
  });
  const thumbs = examples.map((example) => {
    const image = picture({ ink: true });
    const draw = () => image.show(example.pixels.flat(), SIDE, SIDE, 255);
    const wrong = example.read !== example.label;
    const text = `Test digit: ${named(example.label)}${wrong ? `, which the network reads as ${named(example.read)}` : ""}`;
    const use = () => choose(structuredClone(example.pixels));
    return { el: button(image.el, text, use, { class: `cb-thumb${wrong ? " misread" : ""}` }), example, draw };
  });
  const sketches = Object.entries(drawings).map(([name, strokes]) => {
    const image = svg("svg", { viewBox: `0 0 ${PAD} ${PAD}`, class: "cb-ink", "aria-hidden": "true" },
      strokes.map((s) => svg("path", { d: pathOf(s.points), "stroke-width": s.width })));
    const use = () => sketch(structuredClone(strokes));
    return { el: button(image, `Drawing: ${name}`, use, { class: "cb-thumb" }), text: JSON.stringify(strokes) };
  });
  return {
    els: [group("Test digits", thumbs), group(title, sketches)],
    /** The example that has exactly these pixels. */
    exampleOf(pixels) {
      const text = JSON.stringify(pixels);
      return examples.find((example) => example.text === text);
    },
    draw() { for (const thumb of thumbs) thumb.draw(); },
    press(example) { for (const thumb of thumbs) thumb.el.setAttribute("aria-pressed", thumb.example === example); },
    pressSketch(strokes) {
      const text = JSON.stringify(strokes);
      for (const each of sketches) each.el.setAttribute("aria-pressed", each.text === text);
    },
  };
}
