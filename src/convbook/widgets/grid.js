// GridExplorer: which cell of a grid answers for which thing, and what gets lost.
import { clamp } from "./kit/arithmetic.js";
import { board, movableBox, rectangle, tagOf, titlesOf } from "./kit/board.js";
import { answeredFor, cellOf, centreOf } from "./kit/boxes.js";
import { choice, slider } from "./kit/controls.js";
import { button, h, live, svg } from "./kit/elements.js";
import { times } from "./kit/formula.js";
import { frame, holdHeight } from "./kit/frame.js";
import { point } from "./kit/plot.js";
import { fmt } from "./kit/text.js";
import "./grid.css";

const KEYS = ["scenes", "scene", "grid", "thing", "moved"];
const FINEST = 16;
const MOST = 12; // things that can be moved
const PLOT = { left: 44, right: 12, top: 10, bottom: 36, width: 340, height: 158 };

function render({ model, el }) {
  const get = (key) => model.get(key);
  const ui = frame({ model, el, title: "A grid over the picture: which cell answers for which thing", keys: KEYS, draw, walks: ["thing", "moved"] });
  const scene = () => get("scenes")[get("scene")];
  const size = () => [scene().height, scene().width];
  const boxes = () => (get("moved").length ? get("moved") : scene().boxes);
  const names = () => (boxes().length === scene().names.length ? scene().names : boxes().map(() => "thing"));
  const chosen = () => clamp(get("thing"), 0, boxes().length - 1);

  const which = choice({
    label: "Picture", options: Object.fromEntries(Object.keys(get("scenes")).map((name) => [name, name])),
    onchange: (name) => ui.begin({ scene: name, moved: [], thing: 0 }),
  });
  const grid = slider({ label: "grid", min: 1, max: FINEST, text: (v) => times(v, v), oninput: (v) => ui.set({ grid: v }) });
  grid.el.classList.add("cb-wide");
  const putBack = button("Put things back", "Put all things where they are in the picture", () => ui.set({ moved: [] }));

  const easel = board({
    label: "The picture with its grid; the arrow keys move the chosen thing, with Shift they choose another",
    onarrow: (rows, cols, event) => {
      if (event.shiftKey) ui.set({ thing: (chosen() + rows + cols + boxes().length) % boxes().length });
      else movers[chosen()]?.nudge(rows, cols);
    },
  });
  easel.el.classList.add("cb-gridboard");
  const movers = Array.from({ length: MOST }, (_, t) => movableBox(easel, {
    limits: size, sizable: false, name: String(t),
    onchange: (box) => ui.set({ thing: t, moved: boxes().map((old, i) => (i === t ? box : old)) }),
  }));
  easel.drawing.addEventListener("pointerdown", (event) => {
    const of = event.target.closest("[data-box]");
    if (of) ui.set({ thing: Number(of.dataset.box) });
  });

  const count = live("cb-grid-count");
  const list = h("div", { class: "cb-rows cb-grid-rows" });
  const target = h("div", { class: "cb-formula" });
  const plot = svg("svg", {
    class: "cb-plot cb-gridplot", viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, role: "img", "aria-label": "Share of the things that can be found, for each grid",
  });
  const side = h("div", { class: "cb-side" }, count, list, target, plot);
  const legend = h("div", { class: "cb-legend" }, "Dots: centres. Green: a thing whose cell answers for it. Red, dashed: a thing that is lost, because its cell "
    + "answers for a larger one. Drag a thing; keys: arrows move it, Shift with arrows chooses another.");
  ui.add(h("div", { class: "cb-controls" }, which.el, grid.el), h("div", { class: "cb-grid-tools" }, putBack),
    h("div", { class: "cb-pictureside" }, easel.el, side), legend);
  const hold = holdHeight(side);

  const shareOf = (n) => answeredFor(boxes(), n, size()).filter(Boolean).length / boxes().length;

  function draw() {
    const n = get("grid");
    const all = boxes();
    const found = answeredFor(all, n, size());
    const [height, width] = size();
    which.show(get("scene"));
    grid.show(n);
    putBack.disabled = !get("moved").length;

    const lines = [];
    for (let i = 1; i < n; i++) lines.push(svg("path", { class: "cb-line", d: `M0 ${i * height / n}H${width}M${i * width / n} 0V${height}` }));
    const cells = all.map((box, t) => {
      const [row, col] = cellOf(box, n, size());
      return rectangle([row * height / n, col * width / n, (row + 1) * height / n, (col + 1) * width / n],
        { class: `cb-grid-cell${found[t] ? "" : " lost"}`, "data-cell": `${row},${col}` });
    });
    const frames = all.map((box, t) => [
      rectangle(box, { class: "cb-under" }), rectangle(box, { class: `${found[t] ? "cb-positive" : "cb-gone"}${t === chosen() ? " cb-grid-now" : ""}` }),
    ]);
    const dots = all.map((box, t) => {
      const [y, x] = centreOf(box);
      return [svg("circle", { class: `cb-dot ${found[t] ? "positive" : "neither"}`, cx: x, cy: y, r: 1 }),
        svg("text", x > 0.75 * width // written into the picture
          ? { class: "cb-name-tag", x: x - 1.3, y: y - 0.8, "text-anchor": "end" } : { class: "cb-name-tag", x: x + 1.3, y: y - 0.8 }, tagOf(names(), t))];
    });
    easel.show(scene(), cells.filter((_, t) => found[t]), lines, frames, dots);
    movers.forEach((mover, t) => mover.show(all[t] ?? [0, 0, 1, 1], t < all.length));

    const kept = found.filter(Boolean).length;
    count.replaceChildren(`${times(n, n)} cells: `, h("b", { "data-kept": kept }, kept), ` of ${all.length} things can be found`,
      kept < all.length ? `, ${all.length - kept} ${all.length - kept > 1 ? "are" : "is"} lost.` : ".");
    list.replaceChildren(h("div", { class: "cb-line-row head" }, ["thing", "row", "column", ""].map((text) => h("span", {}, text))),
      ...titlesOf(names()).map((name, t) => {
        const [row, col] = cellOf(all[t], n, size());
        return h("div", { class: `cb-line-row${found[t] ? " kept" : " gone"}${t === chosen() ? " now" : ""}`, "data-found": String(found[t]), "data-at": `${row},${col}` },
          h("span", {}, name), h("span", { class: "end" }, row), h("span", { class: "end" }, col), h("span", { class: "why" }, found[t] ? "✓" : "lost"));
      }));
    describe(all[chosen()], n, found[chosen()]);
    drawPlot(n);
    hold(`${get("scene")} ${all.length}`);
  }

  /** What the network should say in the cell of a thing. */
  function describe(box, n, found) {
    const [height, width] = size();
    const [row, col] = cellOf(box, n, size());
    const [y, x] = centreOf(box);
    const numbers = [y / height * n - row, x / width * n - col, Math.sqrt((box[2] - box[0]) / height), Math.sqrt((box[3] - box[1]) / width)];
    const texts = ["down ", "across ", "√height ", "√width "];
    target.replaceChildren(h("div", {}, found ? `What the cell in row ${row}, column ${col} should say of the ${titlesOf(names())[chosen()]}: `
      : `The cell in row ${row}, column ${col} answers for another thing. Of the ${titlesOf(names())[chosen()]} it would have to say: `,
      numbers.map((v, i) => [i ? ", " : "", h("span", { class: "cb-nowrap", "data-target": v }, `${texts[i]}${fmt(v)}`)]),
      ". The first two are shares of the cell, the others of the picture."));
  }

  /** The share of things that can be found, over the grids. */
  function drawPlot(n) {
    const { left, right, top, bottom, width, height } = PLOT;
    const x = (k) => left + (k - 1) / (FINEST - 1) * (width - left - right);
    const y = (share) => top + (1 - share) * (height - top - bottom);
    const shares = Array.from({ length: FINEST }, (_, i) => shareOf(i + 1));
    plot.replaceChildren(
      ...[0, 0.5, 1].flatMap((share) => [
        svg("line", { class: "cb-grid", x1: left, x2: width - right, y1: y(share), y2: y(share) }),
        svg("text", { x: left - 5, y: y(share) + 4, "text-anchor": "end" }, `${100 * share} %`),
      ]),
      ...[1, 4, 8, 12, 16].map((k) => svg("text", { x: x(k), y: height - bottom + 16, "text-anchor": "middle" }, k)),
      svg("text", { x: left, y: height - 4 }, "cells along a side: which share can be found"),
      svg("line", { class: "cb-now", x1: x(n), x2: x(n), y1: top, y2: height - bottom }),
      svg("path", { class: "cb-curve", d: `M${shares.map((share, i) => `${x(i + 1)} ${y(share)}`).join("L")}` }),
      ...shares.map((share, i) => point("", x(i + 1), y(share), i + 1 === n ? 5 : 3, { "data-share": share, ...(i + 1 === n ? { "data-now": "" } : {}) })),
    );
  }

  return ui.start();
}

export default { render };
