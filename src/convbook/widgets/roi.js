// RoiExplorer: a box on a feature map, pooled with two roundings and sampled with none.
import { build, clamp, shapeOf } from "./kit/arithmetic.js";
import { board, movableBox, rectangle } from "./kit/board.js";
import { buttons, examples, player, slider } from "./kit/controls.js";
import { h, live, svg } from "./kit/elements.js";
import { symbol, times } from "./kit/formula.js";
import { frame } from "./kit/frame.js";
import { matrix } from "./kit/matrix.js";
import { roiAlign, roiMaxPool } from "./kit/regions.js";
import { fmt } from "./kit/text.js";
import "./roi.css";

const KEYS = ["x", "box", "stride", "size", "samples", "kind", "row", "col"];
const SIDE = 64; // the longer side of the map, in units of its drawing
const BLOB = build(6, 8, (r, c) => Math.round(90 * Math.exp(-(((r - 2.6) / 1.3) ** 2) - ((c - 3.8) / 1.7) ** 2)) / 10);
const PRESETS = {
  blob: ["A hill, and a box around it", { x: BLOB, box: [20, 23, 75, 96], stride: 16 }],
  ramp: ["A ramp: each value says its column", { x: build(6, 8, (r, c) => c), box: [16, 20, 80, 84], stride: 16 }],
  edge: ["An edge, and a box along it", { x: build(6, 8, (r, c) => (c > 3 ? 9 : 0)), box: [17, 55, 81, 95], stride: 16 }],
  small: ["A box smaller than a cell", { x: BLOB, box: [39, 58, 49, 69], stride: 16 }],
  border: ["A box that reaches over the border", { x: BLOB, box: [-24, 70, 40, 150], stride: 16 }],
};

function render({ model, el }) {
  const get = (key) => model.get(key);
  const ui = frame({ model, el, title: "A box on a feature map: rounded, or sampled", keys: KEYS, draw, walks: ["row", "col", "box"] });
  const preset = examples({ options: PRESETS, start: { row: 0, col: 0 }, get, set: ui.begin });
  const kind = buttons({
    label: "What is drawn on the map", name: "on the map",
    options: { max: ["RoI max pooling", "Draw what max pooling reads"], align: ["RoIAlign", "Draw where RoIAlign samples"] },
    onchange: (value) => ui.set({ kind: value }),
  });
  const size = slider({ label: "parts", min: 1, max: 4, text: (v) => times(v, v), oninput: (v) => ui.set({ size: v }) });
  const samples = slider({ label: "samples", min: 1, max: 3, text: (v) => times(v, v), oninput: (v) => ui.set({ samples: v }) });
  // The box keeps its place on the map: a coarser picture has fewer pixels for each cell.
  const stride = slider({ label: "pixels a cell", min: 1, max: 32, oninput: (v) => ui.set({
    stride: v, box: scaled(get("box"), v / get("stride")),
  }) });
  const scaled = ([y0, x0, y1, x1], by) => {
    const [top, left] = [Math.round(y0 * by), Math.round(x0 * by)];
    return [top, left, Math.max(top + 1, Math.round(y1 * by)), Math.max(left + 1, Math.round(x1 * by))];
  };

  const easel = board({
    label: "The feature map with the box; the arrow keys move the box by a pixel, with Shift they size it",
    onarrow: (rows, cols, event) => mover.nudge(rows, cols, event.shiftKey),
  });
  easel.el.classList.add("cb-roi");
  const unit = () => SIDE / Math.max(...shapeOf(get("x"))); // of a cell
  const perPixel = () => unit() / get("stride");
  const mover = movableBox(easel, {
    unit: perPixel, limits: () => shapeOf(get("x")).map((n) => n * unit()),
    onchange: (box) => ui.set({ box: box.map((v) => Math.round(v / perPixel())) }),
  });
  const pick = (which) => (row, col) => ui.set({ row, col, kind: which });
  const outputs = {
    max: matrix({ symbol: "Y", label: "RoI max pooling", onpick: pick("max") }),
    align: matrix({ symbol: "Y", label: "RoIAlign", onpick: pick("align") }),
  };
  outputs.max.caption.append(h("span", { class: "cb-kindname" }, "RoI max pooling"));
  outputs.align.caption.append(h("span", { class: "cb-kindname" }, "RoIAlign"));
  const steps = player({
    count: () => get("size") ** 2,
    position: () => { const [row, col] = part(); return row * get("size") + col; },
    go: (k) => ui.set({ row: Math.floor(k / get("size")), col: k % get("size") }),
  });
  ui.tools.append(...steps.els);
  const sum = live("cb-sum");
  const moved = h("div", { class: "cb-formula" });
  const legend = h("div", { class: "cb-legend" });
  const side = h("div", { class: "cb-side" }, h("div", { class: "cb-stage cb-roi-outputs" }, outputs.max.el, outputs.align.el), sum, moved);
  ui.add(h("div", { class: "cb-controls cb-roi-controls" }, preset.el, kind.el, size.el, samples.el, stride.el),
    h("div", { class: "cb-pictureside" }, easel.el, side), legend);
  const hold = ui.hold(side);

  const part = () => ["row", "col"].map((key) => clamp(get(key), 0, get("size") - 1));

  function draw() {
    const [x, box, S, n, m] = ["x", "box", "stride", "size", "samples"].map(get);
    const now = get("kind");
    const [row, col] = part();
    preset.show();
    kind.show(now);
    size.show(n);
    samples.show(m);
    stride.show(S);
    const pooled = roiMaxPool(x, box, n, 1 / S);
    const aligned = roiAlign(x, box, n, 1 / S, m);
    const scale = Math.max(1e-12, ...x.flat().map(Math.abs));
    const mark = (which) => (r, c) => (r === row && c === col ? `window${which === now ? " picked" : ""}` : "");
    outputs.max.show(pooled.y, { scale, mark: mark("max") });
    outputs.align.show(aligned.y, { scale, mark: mark("align") });
    for (const [key, m1] of Object.entries(outputs)) m1.el.classList.toggle("picked", key === now);
    drawMap(x, box, pooled, aligned);
    sum.replaceChildren(...(now === "max" ? ofMax(x, pooled) : ofAlign(x, aligned)));
    moved.replaceChildren(...displacement(box, pooled));
    legend.textContent = now === "max"
      ? "Orange: the box; drag it, or its corners. Dashed: the cells that max pooling reads instead. Framed: the cells of the chosen part; thick: their largest."
      : "Orange: the box; drag it, or its corners. Dots: where RoIAlign samples; large ones belong to the chosen part, framed cells have a share in it.";
    hold();
  }

  function drawMap(x, box, pooled, aligned) {
    const u = unit();
    const [rows, cols] = shapeOf(x);
    const [row, col] = part();
    const n = get("size");
    const scale = Math.max(1e-12, ...x.flat().map(Math.abs));
    const cellRect = (r, c, more) => rectangle([r * u, c * u, (r + 1) * u, (c + 1) * u], more);
    const cells = x.map((line, r) => line.map((v, c) => [
      cellRect(r, c, { class: `cb-roi-cell${v < 0 ? " neg" : ""}`, style: `--cb-tone:${(Math.abs(v) / scale).toFixed(3)}` }),
      svg("text", { x: (c + 0.5) * u, y: (r + 0.5) * u, "font-size": u * 0.3, class: "cb-roi-value" }, fmt(v, 1)),
    ]));
    const own = [];
    if (get("kind") === "max") {
      const within = pooled.partCells(row, col);
      const best = pooled.best(row, col);
      own.push(rectangle(pooled.region.map((v) => v * u), { class: "cb-roi-region" }),
        within.map(({ r, c }) => cellRect(r, c, { class: "cb-roi-part", "data-cell": `${r},${c}` })),
        best && cellRect(best.r, best.c, { class: "cb-roi-best" }));
    } else {
      const of = aligned.points(row, col);
      const used = new Set(of.flatMap(({ terms }) => terms.map(({ r, c }) => `${r},${c}`)));
      own.push([...used].map((key) => { const [r, c] = key.split(",").map(Number); return cellRect(r, c, { class: "cb-roi-part", "data-cell": key }); }));
      const k = perPixel();
      const [y0, x0, y1, x1] = box.map((v) => v * k);
      for (let i = 1; i < n; i++) {
        const [y, xx] = [y0 + i / n * (y1 - y0), x0 + i / n * (x1 - x0)];
        own.push(svg("path", { class: "cb-roi-split", d: `M${x0} ${y}H${x1}M${xx} ${y0}V${y1}` }));
      }
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++)
          for (const p of aligned.points(i, j)) {
            const mine = i === row && j === col;
            own.push(svg("circle", { class: `cb-roi-point${mine ? " mine" : ""}`, cx: (p.c + 0.5) * u, cy: (p.r + 0.5) * u, r: mine ? 1 : 0.55 }));
          }
    }
    easel.show({ height: rows * u, width: cols * u }, cells, own);
    mover.show(box.map((v) => v * perPixel()));
  }

  const cellName = (r, c) => h("span", { class: "cb-nowrap" }, symbol("x", r, c));

  function ofMax(x, pooled) {
    const [row, col] = part();
    const cells = pooled.partCells(row, col);
    const best = pooled.best(row, col);
    const value = pooled.y[row][col];
    const shown = cells.slice(0, 12);
    return [
      h("span", {}, ...symbol("y", row, col), " ="),
      cells.length
        ? h("span", {}, "max(", shown.map((k, i) => [i ? ", " : "", cellName(k.r, k.c)]), cells.length > shown.length ? ", …" : "", ") = ",
          cellName(best.r, best.c), " = ", h("b", { class: "cb-result", "data-value": value }, fmt(value)))
        : h("span", {}, h("b", { class: "cb-result", "data-value": 0 }, "0"), ": this part lies outside the map"),
    ];
  }

  function ofAlign(x, aligned) {
    const [row, col] = part();
    const points = aligned.points(row, col);
    const value = aligned.y[row][col];
    const inside = points.filter(({ terms }) => terms.length);
    const first = inside[0];
    return [
      h("span", {}, ...symbol("y", row, col), " ="),
      h("span", {}, points.length > 1 ? ["(", points.map((p, i) => [i ? " + " : "", fmt(p.value)]), `) / ${points.length} = `] : [],
        h("b", { class: "cb-result", "data-value": value }, fmt(value))),
      h("span"),
      first
        ? h("span", { class: "cb-muted" }, `the point in row ${fmt(first.r)}, column ${fmt(first.c)}, counted from centre to centre: `,
          first.terms.map((t, i) => [i ? " + " : "", h("span", { class: "cb-nowrap" }, `${fmt(t.weight, 3)} · `, symbol("x", t.r, t.c))]),
          ` = ${fmt(first.value)}`)
        : h("span", { class: "cb-muted" }, "all points lie outside the map"),
    ];
  }

  /** How far the first rounding has moved the box. */
  function displacement(box, { region }) {
    const S = get("stride");
    const inCells = box.map((v) => v / S);
    const middle = (b, axis) => (b[axis] + b[axis + 2]) / 2;
    const away = [0, 1].map((axis) => middle(region, axis) - middle(inCells, axis));
    const distance = Math.hypot(...away);
    const extent = (b) => times(...[0, 1].map((axis) => fmt(b[axis + 2] - b[axis])));
    const words = [[away[0], "lower", "higher"], [away[1], "further right", "further left"]]
      .filter(([v]) => Math.abs(v) > 0.004).map(([v, more, less]) => `${fmt(Math.abs(v))} ${v > 0 ? more : less}`);
    return [
      h("div", {}, `The box covers rows ${fmt(inCells[0])} to ${fmt(inCells[2])} and columns ${fmt(inCells[1])} to ${fmt(inCells[3])} of the map: ${extent(inCells)} cells. RoIAlign reads just there.`),
      h("div", {}, `Max pooling reads the cells from row ${fmt(region[0])} to row ${fmt(region[2] - 1)} and from column ${fmt(region[1])} to column ${fmt(region[3] - 1)}, both included: ${extent(region)} cells. `,
        words.length ? [`Its middle is ${words.join(" and ")}, `, h("b", { class: "cb-roi-away", "data-away": distance * S }, `${fmt(distance * S, 1)} pixels`), " of the picture away."]
          : ["Its middle is that of the box, ", h("b", { class: "cb-roi-away", "data-away": 0 }, "0 pixels"), " away."]),
    ];
  }

  return ui.start({ stop: steps.stop });
}

export default { render };
