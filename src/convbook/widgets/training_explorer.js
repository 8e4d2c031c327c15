// TrainingExplorer: filters, feature maps, probabilities and curves of a network, from snapshot to
// snapshot.
import { clamp } from "./kit/arithmetic.js";
import { bars } from "./kit/bars.js";
import { choice, player, slider } from "./kit/controls.js";
import { h, live, svg } from "./kit/elements.js";
import { times } from "./kit/formula.js";
import { frame } from "./kit/frame.js";
import { unpack } from "./kit/packed.js";
import { colourPicture, cover, picture } from "./kit/pictures.js";
import { point } from "./kit/plot.js";
import { arrow, cellAt, onDrag } from "./kit/pointing.js";
import { fmt } from "./kit/text.js";
import "./kit/ramp.css";
import "./training_explorer.css";

const KEYS = ["step", "image", "layer"];
const PANELS = { loss: ["Loss", "loss", "val_loss"], accuracy: ["Accuracy", "accuracy", "val_accuracy"] };
const LEFT = 30, RIGHT = 8, TOP = 8, BOTTOM = 32, HEIGHT = 124; // of a plot

function render({ model, el }) {
  const data = model.get("data");
  const { labels, epochs, curves, classes } = data;
  const [filters, images, probabilities, ...maps] =
    [data.filters, data.images, data.probabilities, ...data.maps.map((m) => m.values)].map(unpack);
  const names = data.maps.map((m) => m.name);
  const last = epochs.length - 1;

  const ui = frame({ model, el, title: "Training: what the network learns, epoch by epoch", keys: KEYS, draw, walks: ["step", "image"] });
  const get = (key) => model.get(key);
  // A state from elsewhere may point past the end.
  const at = (key, count) => clamp(get(key), 0, count - 1);

  const when = (k) => (epochs[k] ? `after epoch ${epochs[k]}` : "before training");
  const step = slider({ label: "snapshot", min: 0, max: last, text: when, oninput: (k) => ui.set({ step: k }) });
  step.el.classList.add("cb-wide", "cb-when");
  const steps = player({
    count: () => last + 1, position: () => at("step", last + 1), go: (k) => ui.set({ step: k }), delay: 1000, loop: false,
  });
  ui.tools.append(...steps.els);

  const chosen = labels.map((label, i) => {
    const image = images.shape[1] === 3 ? colourPicture() : picture({ ink: true });
    image.show(images.part(i), ...images.shape.slice(2));
    return h("button", {
      type: "button", class: "cb-button cb-sample", "aria-label": `Image ${i}: ${classes[label]}`, title: classes[label],
      onclick: () => ui.set({ image: i }),
    }, image.el);
  });
  const picker = h("div", { class: "cb-choose", role: "group", "aria-label": "Image" }, chosen);
  const read = bars("Probabilities", classes);
  const reading = live("cb-judged");
  const layer = names.length > 1 ? choice({
    label: "after", options: Object.fromEntries(names.map((name, i) => [i, name])),
    onchange: (i) => ui.set({ layer: Number(i) }),
  }) : null;

  const F = tiles({ symbol: "F", name: "Filter", hint: "Point at a filter to read its weights." });
  const Y = tiles({ symbol: "Y", name: "Map", hint: "Point at a map to read its numbers." });
  const filterShape = h("span", { class: "cb-shape" }, times(...filters.shape.slice(1)));
  const mapShape = h("span", { class: "cb-shape" });
  const panels = Object.entries(PANELS).filter(([, [, ...keys]]) => keys.some((key) => curves[key]))
    .map(([key, [title, ...series]]) => panel(key, title, series.filter((name) => curves[name])));
  const plots = panels.length ? h("div", { class: "cb-plots" }, panels.map((p) => p.el)) : null;
  const pictures = h("div", { class: "cb-columns" },
    h("div", { class: "cb-column" },
      section([h("b", {}, "F"), " filters of the first convolution ", filterShape], F.el, F.scale, F.said),
      section([h("b", {}, "Y"), layer ? " feature maps" : ` feature maps after ${names[0]} `, mapShape, layer?.el],
        Y.el, Y.scale, Y.said)),
    h("div", { class: "cb-column" }, section(["What the network reads"], picker, read.el, reading), plots));
  ui.add(h("div", { class: "cb-controls" }, step.el), pictures);
  const hold = ui.hold(reading, F.said, Y.said);

  const filterScale = filters.largest;
  const signed = (values) => values.low < 0;

  function draw() {
    const [k, i, l] = [at("step", last + 1), at("image", labels.length), at("layer", maps.length)];
    step.show(k);
    chosen.forEach((button, j) => button.setAttribute("aria-pressed", j === i));
    layer?.show(l);

    F.show(filters.shape[1], filters.shape.slice(2), (f) => filters.part(k, f), { scale: filterScale, when: when(k) });
    const shape = maps[l].shape.slice(2);
    mapShape.textContent = times(...shape);
    Y.show(shape[0], [1, ...shape.slice(1)], (m) => maps[l].part(k, i, m), {
      scale: maps[l].largest, ink: !signed(maps[l]), when: `${when(k)}, image of ${classes[labels[i]]}`,
    });

    const p = probabilities.part(k, i);
    const best = p.indexOf(Math.max(...p));
    read.show(p, { truth: labels[i] });
    const verdict = best === labels[i] ? h("span", { class: "cb-good" }, "right")
      : h("span", { class: "cb-message" }, `but it is ${classes[labels[i]]}`);
    reading.replaceChildren(`${capital(when(k))}: reads ${classes[best]}, `, verdict, ".");
    panels.forEach((p) => p.show(k));
    hold();
  }

  /**
   * A plot of one or two curves over the epochs, with the snapshot shown marked; a click or drag
   * chooses another.
   */
  function panel(what, title, series) {
    const caption = h("div", { class: "cb-heading" });
    const image = svg("svg", { class: "cb-plot", role: "img" });
    const box = h("div", { class: "cb-panel" }, caption, image);
    const all = series.flatMap((name) => curves[name]).filter((v) => v !== null);
    const [low, high, ticks] = axis(all, what === "loss");
    const count = Math.max(1, ...series.map((name) => curves[name].length - 1));
    const label = { [series[0]]: series[0].startsWith("val_") ? "held out" : "training", [series[1]]: "held out" };
    const kind = (name) => (name.startsWith("val_") ? "central" : "");
    let width = 300;
    const across = (epoch) => LEFT + epoch / count * (width - LEFT - RIGHT);
    const down = (v) => TOP + (high - v) / (high - low) * (HEIGHT - TOP - BOTTOM);
    const follow = (event) => {
      const epoch = (event.clientX - image.getBoundingClientRect().left - LEFT) / (width - LEFT - RIGHT) * count;
      ui.set({ step: epochs.reduce((best, e, k) => (Math.abs(e - epoch) < Math.abs(epochs[best] - epoch) ? k : best), 0) });
    };
    onDrag(image, follow);
    const mark = (name, epoch, radius, more) =>
      point(kind(name), across(epoch), down(curves[name][epoch]), radius, more);
    const known = (name, epoch) => typeof curves[name][epoch] === "number";
    const text = (name, epoch) => (known(name, epoch) ? curves[name][epoch].toFixed(3) : "–");
    const key = (name, now) => h("span", { class: "cb-key", "data-curve": name },
      svg("svg", { width: 18, height: 12, "aria-hidden": "true" },
        svg("path", { class: `cb-curve ${kind(name)}`, d: "M0 6H18" }), point(kind(name), 9, 6, kind(name) ? 3 : 3.5)),
      `${label[name]} `, h("span", { class: "cb-figure" }, text(name, now)));
    return {
      el: box,
      show(k) {
        width = Math.max(200, box.clientWidth || 300);
        const now = epochs[k];
        const every = [1, 2, 5, 10, 20, 50, 100].find((n) => count / n <= 10) ?? count;
        const [right, bottom] = [width - RIGHT, HEIGHT - BOTTOM];
        const lines = ticks.map((v) => [
          svg("path", { class: "cb-grid", d: `M${LEFT} ${down(v)}H${right}` }),
          svg("text", { x: LEFT - 5, y: down(v) + 4, "text-anchor": "end" }, fmt(v)),
        ]);
        for (let epoch = 0; epoch <= count; epoch += every)
          lines.push(svg("text", { x: across(epoch), y: bottom + 15, "text-anchor": "middle" }, epoch));
        const drawn = series.map((name) => {
          const there = curves[name].flatMap((_, epoch) => (known(name, epoch) ? [epoch] : []));
          const line = there.map((e) => `${across(e)} ${down(curves[name][e])}`).join("L");
          return [
            svg("path", { class: `cb-curve ${kind(name)}`, d: `M${line}` }),
            there.map((e) => mark(name, e, 2, { "data-epoch": e, "data-value": curves[name][e] })),
          ];
        });
        image.setAttribute("width", width);
        image.setAttribute("height", HEIGHT);
        image.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
        image.setAttribute("aria-label", `${title} over the epochs; ${series.map((name) =>
          `${label[name]}: ${curves[name].map((_, e) => text(name, e)).join(", ")}`).join("; ")}`);
        image.replaceChildren(...lines.flat(),
          svg("text", { x: (LEFT + right) / 2, y: HEIGHT - 3, "text-anchor": "middle" }, "epoch"),
          svg("path", { class: "cb-now", d: `M${across(now)} ${TOP}V${bottom}` }), ...drawn.flat(2),
          // The circle is the larger one: it shows behind the square where both are equal.
          ...series.filter((name) => known(name, now)).map((name) => mark(name, now, kind(name) ? 4 : 5, { "data-now": name })));
        caption.replaceChildren(h("b", { class: "cb-panelname" }, title), ...series.map((name) => key(name, now)));
      },
    };
  }

  return ui.start({ watch: ui.tools.parentElement, stop: steps.stop });
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** A part of the figure with a heading. */
const section = (heading, ...parts) =>
  h("div", { class: "cb-section" }, h("div", { class: "cb-heading" }, heading), parts);

/** Where an axis begins and ends, and its ticks: the loss from 0 up, the accuracy up to 1. */
function axis(values, loss) {
  const [least, most] = loss ? [0, Math.max(1e-6, ...values)] : [Math.min(0.9, ...values), 1];
  const rough = (most - least) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const tick = [1, 2, 5, 10].find((n) => n * unit >= rough) * unit;
  const [low, high] = [Math.floor(least / tick + 1e-9) * tick, Math.ceil(most / tick - 1e-9) * tick];
  return [low, high, Array.from({ length: Math.round((high - low) / tick) + 1 }, (_, k) => low + k * tick)];
}

/**
 * Small pictures side by side, whose numbers are read with the mouse, a finger or the arrow keys:
 * {el, scale, said, show}. `scale` is the colour bar, `said` the line that tells the number pointed
 * at.
 */
function tiles({ symbol, name, hint }) {
  const el = h("div", { class: "cb-tiles", role: "group", "aria-label": `${name}s` });
  const bar = h("span", { class: "cb-ramp" });
  const [low, high] = [h("span"), h("span")];
  const scale = h("div", { class: "cb-ramprow" }, low, bar, high,
    h("span", { class: "cb-muted" }, "one scale for all snapshots"));
  const said = live("cb-spot");
  said.textContent = hint;
  let made = []; // {tile, image, mark}
  let form = "";
  let now; // what was shown last: {shape, values, when}
  let spot = null; // [picture, row, column] that is pointed at

  const pointAt = (tile, row, col) => {
    const moved = !spot || spot[0] !== tile || spot[1] !== row || spot[2] !== col;
    spot = [tile, row, col];
    if (moved) tell();
  };
  const cellOf = (event, canvas) => cellAt(event, canvas, now.shape[1], now.shape[2]);
  const walk = (event) => {
    const move = arrow(event);
    if (!move) return;
    const [, rows, cols] = now.shape;
    const across = getComputedStyle(el).gridTemplateColumns.split(" ").length;
    let [tile, row, col] = spot;
    row += move[0];
    col += move[1];
    // Over the edge of a picture is the one beside it, if there is one.
    const onward = tile + (row < 0 ? -across : row >= rows ? across : col < 0 ? -1 : col >= cols ? 1 : 0);
    const over = onward !== tile && made[onward];
    if (over) tile = onward;
    row = over ? (row + rows) % rows : clamp(row, 0, rows - 1);
    col = over ? (col + cols) % cols : clamp(col, 0, cols - 1);
    pointAt(tile, row, col);
    if (over) made[tile].canvas.focus({ preventScroll: false });
  };
  const make = (index, colour, ink) => {
    const image = colour ? colourPicture({ signed: true }) : picture({ ink });
    const canvas = image.el;
    const mark = h("span", { class: "cb-pointer", hidden: "" });
    canvas.removeAttribute("aria-hidden");
    canvas.setAttribute("role", "img");
    canvas.tabIndex = index ? -1 : 0;
    canvas.dataset.lmSuppressShortcuts = "true";
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") pointAt(index, ...cellOf(event, canvas));
    });
    canvas.addEventListener("pointerdown", (event) => {
      pointAt(index, ...cellOf(event, canvas));
      canvas.focus({ preventScroll: true });
    });
    canvas.addEventListener("focus", () => { if (!spot || spot[0] !== index) pointAt(index, 0, 0); });
    canvas.addEventListener("keydown", walk);
    return { image, canvas, mark, tile: h("div", { class: "cb-tile" }, canvas, mark) };
  };
  /** Mark the number pointed at, and write it out. */
  function tell() {
    const [channels, rows, cols] = now.shape;
    if (spot && (spot[0] >= made.length || spot[1] >= rows || spot[2] >= cols)) spot = null;
    made.forEach(({ mark, canvas }, i) => {
      const here = spot?.[0] === i;
      mark.hidden = !here;
      canvas.tabIndex = i === (spot?.[0] ?? 0) ? 0 : -1;
      canvas.setAttribute("aria-label", `${name} ${i} ${now.when}${here ? `: ${written(i)}` : ", arrow keys read its numbers"}`);
      if (!here) return;
      cover(mark, [spot[1], spot[2], 1, 1], rows, cols);
    });
    said.textContent = spot ? `${name} ${spot[0]}, row ${spot[1]}, column ${spot[2]}: ${written(spot[0])}` : hint;
    if (spot) said.dataset.value = numbers(spot[0])[0];
    function numbers(i) {
      const values = now.values(i);
      return Array.from({ length: channels }, (_, c) => values[(c * rows + spot[1]) * cols + spot[2]]);
    }
    function written(i) {
      const digits = numbers(i).map((v) => fmt(v, 3));
      return digits.length === 1 ? `${symbol} = ${digits[0]}` : `red ${digits[0]}, green ${digits[1]}, blue ${digits[2]}`;
    }
  }
  return {
    el, scale, said,
    show(count, shape, values, { scale: full, ink = false, when }) {
      const [channels, rows, cols] = shape;
      if (form !== `${count} ${channels} ${ink}`) {
        form = `${count} ${channels} ${ink}`;
        made = Array.from({ length: count }, (_, i) => make(i, channels === 3, ink));
        el.replaceChildren(...made.map(({ tile }) => tile));
        el.style.setProperty("--cb-tiles", count <= 16 ? Math.min(count, 4) : 8);
        el.style.setProperty("--cb-tiles-narrow", Math.min(count, 4));
        bar.className = `cb-ramp${channels === 3 ? " colour" : ink ? " grey" : ""}`;
      }
      now = { shape, values, when };
      made.forEach(({ image }, i) => image.show(values(i), rows, cols, full));
      low.textContent = ink ? "0" : `−${fmt(full, 2)}`;
      high.textContent = fmt(full, 2);
      tell();
    },
  };
}

export default { render };
