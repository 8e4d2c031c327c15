// ColourExplorer: two generators colour a grey photograph, which the reader may paint over; the
// discriminator says of each patch whether it looks real.
import { checkbox, slider } from "./kit/controls.js";
import { button, h, live } from "./kit/elements.js";
import { frame } from "./kit/frame.js";
import { readLayers, runLayers } from "./kit/network.js";
import { bytesOf } from "./kit/packed.js";
import { colourPicture, picture } from "./kit/pictures.js";
import { fmt } from "./kit/text.js";
import { readUnet, runUnet } from "./kit/unet.js";
import { paintingPad } from "./colour/pad.js";
import { coloured, differences, folded, greyOf, measured, painted } from "./colour/colours.js";
import "./colour_explorer.css";

const KEYS = ["chosen", "weight", "strokes", "shade", "pen", "patches"];
const SIZE = 32;
const HALF = SIZE / 2;
const WAYS = { alone: "L1 alone", GAN: "L1 + GAN", truth: "the photograph" };

function render({ model, el }) {
  const stored = model.get("networks");
  const alone = readUnet(stored.alone);
  const generators = stored.generators.map(readUnet);
  const judge = readLayers(stored.discriminator, [6, HALF, HALF]);
  const [, rows, cols] = judge.at(-1).shape;
  const photographs = model.get("photographs").bytes.map((text) => Float32Array.from(bytesOf(text), (v) => v / 255));
  const { names } = model.get("photographs");
  const truths = photographs.map((rgb) => ({ rgb, grey: greyOf(rgb), colours: differences(rgb, SIZE) }));

  const ui = frame({ model, el, title: "ColourExplorer: which colours belong here?", keys: KEYS, draw, walks: KEYS });
  const get = (key) => model.get(key);

  // --- The parts of the figure ---
  const pad = paintingPad({
    size: SIZE, get, change: (strokes) => ui.set({ strokes }),
    setShade: (shade) => ui.set({ shade }), setPen: (pen) => ui.set({ pen }),
  });
  const views = Object.fromEntries(Object.entries(WAYS).map(([way, title]) => {
    const base = colourPicture();
    const veil = picture();
    veil.el.classList.add("cb-colour-veil");
    const view = h("div", { class: "cb-view cb-colour-view", role: "img", "data-way": way }, base.el, veil.el);
    const [name, said] = [h("b", {}, title), h("div", { class: "cb-muted cb-colour-said" })];
    return [way, { base, veil, view, name, said, el: h("div", { class: "cb-colour-side" }, h("div", {}, name), view, said) }];
  }));
  const weight = slider({
    label: "λ", min: 0, max: generators.length - 1, text: (v) => fmt(stored.weights[v]), oninput: (v) => ui.set({ weight: v }),
  });
  const patches = checkbox({ text: "what D says of each patch", onchange: (value) => ui.set({ patches: value }) });
  const thumbs = photographs.map((rgb, k) => {
    const image = colourPicture();
    image.show(rgb, SIZE, SIZE);
    return button(image.el, `Photograph: ${names[k]}`, () => { pad.lift(); ui.set({ chosen: k, strokes: [] }); }, { class: "cb-button cb-colour-thumb" });
  });
  const verdict = live("cb-colour-verdict");
  const legend = h("div", { class: "cb-legend cb-colour-legend" });

  ui.add(
    h("div", { class: "cb-colour-thumbs", role: "group", "aria-label": "Photographs" }, thumbs),
    h("div", { class: "cb-colour" },
      h("div", { class: "cb-colour-side" }, h("div", {}, h("b", {}, "grey"), h("span", { class: "cb-muted" }, " paint on it")), pad.el),
      Object.values(views).map((view) => view.el)),
    h("div", { class: "cb-controls cb-colour-controls" }, weight.el, h("div", {}, patches.el), pad.tools),
    verdict, legend);
  const hold = ui.hold(verdict, legend);

  // --- What the networks say; a picture that was coloured before is not coloured anew ---
  let known = new Map();
  let asked = null;

  function once(key, compute) {
    if (!known.has(key)) known.set(key, compute());
    return known.get(key);
  }
  const patchesOf = (grey, colours) => {
    const both = new Float32Array(grey.length + colours.length);
    both.set(folded(grey, SIZE));
    both.set(colours, grey.length);
    return runLayers(judge, both).at(-1).map((score) => (1 + Math.tanh(score / 2)) / 2);
  };

  function draw() {
    const truth = truths[Math.min(get("chosen"), truths.length - 1)];
    const which = Math.min(get("weight"), generators.length - 1);
    const key = JSON.stringify([get("chosen"), get("strokes")]);
    if (key !== asked) [asked, known] = [key, new Map()];
    const grey = once("grey", () => painted(truth.grey, get("strokes"), SIZE));
    const input = once("input", () => folded(grey, SIZE));
    const all = {
      alone: once("alone", () => runUnet(alone, input, HALF, HALF)),
      GAN: once(`λ${which}`, () => runUnet(generators[which], input, HALF, HALF)),
      truth: truth.colours,
    };
    pad.show(grey, get("strokes"));
    pad.showTools();
    weight.show(which);
    patches.show(get("patches"));
    const says = {};
    for (const [way, view] of Object.entries(views)) {
      const itsGrey = way === "truth" ? truth.grey : grey;
      view.base.show(way === "truth" ? truth.rgb : coloured(itsGrey, all[way], SIZE), SIZE, SIZE);
      view.veil.el.hidden = !get("patches");
      view.view.classList.toggle("judged", get("patches"));
      says[way] = once(`D ${way} ${way === "GAN" ? which : ""}`, () => patchesOf(itsGrey, all[way]));
      view.veil.show(says[way].map((d) => d - 0.5), rows, cols, 0.35);
      const mean = says[way].reduce((sum, d) => sum + d, 0) / says[way].length;
      const found = way === "truth" ? null : measured(all[way], truth.colours);
      const compared = found && !get("strokes").length; // a painted picture has no true colours
      view.said.replaceChildren(...(compared
        ? [`error ${found.error.toFixed(3)}`, h("br"), `colourful ${Math.round(100 * found.colourful)} %`, h("br")]
        : []), `D says ${mean.toFixed(2)}`);
      view.view.setAttribute("aria-label", `${way === "GAN" ? `L1 + GAN, λ = ${fmt(stored.weights[which])}` : WAYS[way]}: D says ${mean.toFixed(2)} on average`);
      Object.assign(view.view.dataset, { d: mean, ...(found ?? {}) });
    }
    views.GAN.name.textContent = `L1 + GAN, λ = ${fmt(stored.weights[which])}`;
    thumbs.forEach((thumb, k) => thumb.setAttribute("aria-pressed", String(k === get("chosen"))));
    verdict.replaceChildren(...sentence(all, truth));
    legend.replaceChildren(...(get("patches")
      ? [h("span", { class: "cb-key" }, h("span", { class: "cb-colour-swatch real" }), "D: looks real"),
        h("span", { class: "cb-key" }, h("span", { class: "cb-colour-swatch made" }), "D: looks made"),
        `${rows} × ${cols} patches that overlap`]
      : [`${(stored.alone.count).toLocaleString("en-GB")} weights each; computed here, in your browser.`]));
    hold();
  }
  function sentence(all, truth) {
    if (get("strokes").length) return ["You have painted. The brightness is yours, the colours are what the networks take it for."];
    const [plain, gan] = ["alone", "GAN"].map((way) => measured(all[way], truth.colours));
    const nearer = plain.error < gan.error ? "L1 alone is nearer to the photograph" : "With the discriminator it is nearer to the photograph";
    const fuller = gan.colourful > plain.colourful ? "the discriminator has made it more colourful" : "the discriminator has not made it more colourful";
    return [`${nearer}; ${fuller}.`];
  }

  return ui.start();
}

export default { render };
