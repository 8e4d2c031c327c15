// DigitForge: a conditional generator makes digits, and the discriminator judges them and what the
// reader draws.
import { clamp } from "./kit/arithmetic.js";
import { bars } from "./kit/bars.js";
import { slider } from "./kit/controls.js";
import { button, h, live } from "./kit/elements.js";
import { frame } from "./kit/frame.js";
import { readLayers, runLayers } from "./kit/network.js";
import { bytesOf } from "./kit/packed.js";
import { picture } from "./kit/pictures.js";
import { arrow, onDrag } from "./kit/pointing.js";
import { draws, seededRandom } from "./kit/random.js";
import { fmt } from "./kit/text.js";
import { SIDE } from "./playground/digit_image.js";
import { drawingPad } from "./playground/pad.js";
import { strokePictures } from "./playground/strokes.js";
import "./digit_forge.css";

const KEYS = ["digit", "other", "mix", "first", "second", "walk", "pixels", "strokes", "pen"];
const DIGITS = Array.from({ length: 10 }, (_, k) => String(k));
const FARTHEST = 3; // of a walk, along either direction
const STRIP = 9; // pictures on the way from the first to the second

/** What both networks compute: {generate(noise and labels), judge(picture from 0 to 1)}. */
export function forgeOf({ generator, discriminator }) {
  const size = generator[0].weights.shape[1];
  const [makes, judges] = [readLayers(generator, [size]), readLayers(discriminator, [1, SIDE, SIDE])];
  return {
    generate: (input) => runLayers(makes, Float32Array.from(input)).at(-1).map((v) => (v + 1) / 2),
    judge(values) {
      const scores = runLayers(judges, Float32Array.from(values, (v) => 2 * v - 1)).at(-1);
      return DIGITS.map((_, k) => (1 + Math.tanh((scores[0] + scores[1 + k]) / 2)) / 2);
    },
  };
}

/** What the generator gets at a mixture of two places; a place is {noise, digit}. */
export function mixture(first, second, mix) {
  const label = (digit) => DIGITS.map((_, k) => Number(k === digit));
  const [here, there] = [first, second].map(({ noise, digit }) => [...noise, ...label(digit)]);
  return here.map((v, i) => (1 - mix) * v + mix * there[i]);
}

function render({ model, el }) {
  const { directions, ...networks } = model.get("networks");
  const forge = forgeOf(networks);
  const examples = model.get("examples").map((text) => {
    const bytes = bytesOf(text);
    return Array.from({ length: SIDE }, (_, r) => Array.from(bytes.subarray(r * SIDE, (r + 1) * SIDE)));
  });
  const ui = frame({ model, el, title: "DigitForge: digits that nobody wrote", keys: KEYS, draw, walks: KEYS });
  const get = (key) => model.get(key);
  const random = draws(seededRandom(Math.floor(1e6 * get("first")[0]) + 7));
  const newNoise = () => Array.from(random.normal(get("first").length), (v) => Number(v.toFixed(3)));

  const first = () => {
    const [u, v] = get("walk");
    return { digit: get("digit"), noise: get("first").map((z, i) => z + u * directions[0][i] + v * directions[1][i]) };
  };
  const second = () => ({ digit: get("other"), noise: get("second") });

  // --- Generating ---
  const choiceOf = (name, key) => {
    const all = DIGITS.map((digit, k) => button(digit, `${name}: make a ${digit}`, () => ui.set({ [key]: k }), { class: "cb-button cb-digit" }));
    return {
      el: h("div", { class: "cb-digits", role: "group", "aria-label": name }, all),
      show(value) { all.forEach((b, k) => b.setAttribute("aria-pressed", String(k === value))); },
    };
  };
  const digit = choiceOf("First digit", "digit");
  const other = choiceOf("Second digit", "other");
  const ends = [picture({ ink: true }), picture({ ink: true })];
  const end = (name, choice, image, key, more) => h("div", { class: "cb-forge-end", role: "group", "aria-label": name },
    h("b", {}, name), choice.el, h("div", { class: "cb-forge-row" }, h("div", { class: "cb-view cb-forge-small" }, image.el),
      h("div", {}, button("Another noise", `${name}: draw another noise`, () => ui.set({ [key]: newNoise(), ...(key === "first" ? { walk: [0, 0] } : {}) })), more)));
  const dot = h("span", { class: "cb-walk-dot" });
  const square = h("div", {
    class: "cb-walk", tabindex: "0", role: "application", "data-lm-suppress-shortcuts": "true", onkeydown: step,
  }, dot);
  onDrag(square, (event) => {
    const box = square.getBoundingClientRect();
    const at = (v, from, size) => Number(clamp(((v - from) / size * 2 - 1) * FARTHEST, -FARTHEST, FARTHEST).toFixed(2));
    ui.set({ walk: [at(event.clientX, box.left, box.width), at(event.clientY, box.top, box.height)] });
  });
  function step(event) {
    const move = arrow(event);
    if (!move) return;
    const [u, v] = get("walk");
    ui.set({ walk: [u + 0.25 * move[1], v + 0.25 * move[0]].map((w) => clamp(w, -FARTHEST, FARTHEST)) });
  }
  const made = picture({ ink: true, label: "The generated digit" });
  const judged = live("cb-forge-said");
  const mix = slider({ label: "from the first to the second", min: 0, max: 1, step: 0.01, oninput: (t) => ui.set({ mix: t }) });
  mix.el.classList.add("cb-wide");
  const strip = Array.from({ length: STRIP }, (_, k) => {
    const image = picture({ ink: true });
    const t = k / (STRIP - 1);
    return { t, image, el: button(image.el, `${Math.round(100 * t)} % of the way`, () => ui.set({ mix: t }), { class: "cb-button cb-forge-step" }) };
  });
  const take = button("Put it on the pad", "Let the discriminator judge this picture below", () => {
    const values = forge.generate(mixture(first(), second(), get("mix")));
    pad.lift();
    ui.set({ strokes: [], pixels: Array.from({ length: SIDE }, (_, r) => Array.from(values.subarray(r * SIDE, (r + 1) * SIDE), (v) => Math.round(255 * v))) });
  });

  // --- Judging ---
  const { pixelsOf } = strokePictures();
  const change = ({ strokes }) => ui.set({ strokes, pixels: pixelsOf(strokes, true, true) });
  const pad = drawingPad({ get, change, setPen: (width) => ui.set({ pen: width }) });
  const seen = picture({ ink: true, label: "What the discriminator sees" });
  const answers = bars("D for each label", DIGITS);
  const opinion = live("cb-judged");
  const thumbs = examples.map((pixels, k) => {
    const image = picture({ ink: true });
    image.show(pixels.flat(), SIDE, SIDE, 255);
    return { text: JSON.stringify(pixels), el: button(image.el, `Real digit ${k}`, () => { pad.lift(); ui.set({ strokes: [], pixels: structuredClone(pixels) }); }, { class: "cb-button cb-forge-step" }) };
  });

  ui.add(
    h("div", { class: "cb-forge-make" },
      end("First digit", digit, ends[0], "first", h("div", { class: "cb-walkside" }, square, h("span", { class: "cb-muted" }, "walk: drag the dot"))),
      end("Second digit", other, ends[1], "second"),
      h("div", { class: "cb-forge-result" }, h("div", { class: "cb-view" }, made.el), judged, take)),
    h("div", { class: "cb-controls cb-forge-mix" }, mix.el),
    h("div", { class: "cb-forge-strip", role: "group", "aria-label": "On the way from the first to the second" }, strip.map((s) => s.el)),
    h("div", { class: "cb-forge-head" }, h("b", {}, "The discriminator judges what you draw"), thumbs.length > 0 && h("span", { class: "cb-muted" }, " or a real test digit:"),
      h("div", { class: "cb-forge-thumbs" }, thumbs.map((thumb) => thumb.el))),
    h("div", { class: "cb-forge-judge" }, pad.el, h("div", {}, h("div", { class: "cb-forge-row" }, h("div", { class: "cb-view cb-forge-small" }, seen.el), opinion), answers.el)));
  const hold = ui.hold(judged, opinion);
  let before = {};

  function draw() {
    const now = Object.fromEntries(KEYS.map((name) => [name, JSON.stringify(get(name))]));
    const changed = (...names) => names.some((name) => now[name] !== before[name]);
    const [moved, mixed, drawn] = [changed("digit", "other", "first", "second", "walk"), changed("mix"), changed("pixels", "strokes")];
    // Strokes and pixels belong together: where Python sets other pixels alone, the strokes go.
    const alone = before.pixels && now.pixels !== before.pixels && now.strokes === before.strokes && get("strokes").length;
    before = now;
    digit.show(get("digit"));
    other.show(get("other"));
    mix.show(get("mix"));
    if (moved) showWay();
    if (moved || mixed) showResult();
    if (drawn) showOpinion(now.pixels);
    pad.showTools(!get("pixels").flat().some(Boolean));
    hold();
    if (alone && JSON.stringify(pixelsOf(get("strokes"), true, true)) !== now.pixels) ui.set({ strokes: [] });
  }
  function showWay() {
    const [here, there] = [first(), second()];
    for (const { t, image } of strip) image.show(forge.generate(mixture(here, there, t)), SIDE, SIDE);
    [[0, ends[0]], [1, ends[1]]].forEach(([t, image]) => image.show(forge.generate(mixture(here, there, t)), SIDE, SIDE));
    const [u, v] = get("walk");
    dot.style.left = `${50 * (1 + u / FARTHEST)}%`;
    dot.style.top = `${50 * (1 + v / FARTHEST)}%`;
    square.setAttribute("aria-label", `Walk through the noise along two directions, with the arrow keys: now ${fmt(u)} and ${fmt(v)}`);
  }
  function showResult() {
    const t = get("mix");
    const values = forge.generate(mixture(first(), second(), t));
    made.show(values, SIDE, SIDE);
    const d = forge.judge(values);
    const label = t < 0.5 ? get("digit") : get("other");
    Object.assign(made.el.dataset, { label, d: d[label] });
    judged.replaceChildren("D says: real as a ", h("b", {}, String(label)), " with ", h("b", {}, d[label].toFixed(2)));
    for (const s of strip) s.el.setAttribute("aria-pressed", String(Math.abs(s.t - t) < 0.005));
  }
  function showOpinion(text) {
    const pixels = get("pixels");
    const values = pixels.flat().map((v) => v / 255);
    const empty = !values.some(Boolean);
    pad.show(get("strokes"), pixels, empty);
    seen.show(values, SIDE, SIDE);
    const d = empty ? DIGITS.map(() => 0) : forge.judge(values);
    answers.show(d);
    const best = d.indexOf(Math.max(...d));
    opinion.replaceChildren(empty ? "Draw a digit: D says for each label how real it looks."
      : `D would let it pass most easily as a ${best}: D = ${d[best].toFixed(2)}.`);
    for (const thumb of thumbs) thumb.el.setAttribute("aria-pressed", String(thumb.text === text));
  }

  return ui.start();
}

export default { render };
