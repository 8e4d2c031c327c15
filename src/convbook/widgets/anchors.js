// AnchorExplorer: a box and its overlaps, all anchors and which are on a thing, and non-maximum
// suppression step by step.
import { clamp } from "./kit/arithmetic.js";
import { bars } from "./kit/bars.js";
import { board, movableBox, nameOf, rectangle, tagOf, titlesOf } from "./kit/board.js";
import { anchorAt, areaOf, common, encode, iou, kindsOf, suppression } from "./kit/boxes.js";
import { buttons, checkbox, choice, player, slider } from "./kit/controls.js";
import { h, live, svg } from "./kit/elements.js";
import { frame, holdHeight } from "./kit/frame.js";
import { fmt } from "./kit/text.js";
import "./anchors.css";

const KEYS = ["scenes", "found", "scene", "view", "box", "stride", "shapes", "positive", "negative", "row", "col",
  "threshold", "by_class", "step"];
const SHAPES = { square: [13, 13], lying: [13, 26], upright: [26, 10], large: [24, 42] };
const VIEWS = {
  box: ["One box", "A box to drag, and its overlap with each thing"],
  anchors: ["All anchors", "Which anchors are on a thing"],
  nms: ["Which to keep", "Non-maximum suppression, step by step"],
};
const KINDS = { 1: "positive", 0: "negative", [-1]: "neither" };
const LETTERS = ["t_y", "t_x", "t_h", "t_w"];

const boxText = (box) => `(${box.map((v) => fmt(v, 1)).join(", ")})`;
/** A letter with its index, such as t with a small y. */
const letter = (name) => { const [a, b] = name.split("_"); return [h("i", {}, a), h("sub", {}, b)]; };

function render({ model, el }) {
  const get = (key) => model.get(key);
  const ui = frame({ model, el, title: "Boxes, anchors, and which to keep", keys: KEYS, draw, walks: ["row", "col", "step", "box"] });
  const scene = () => get("scenes")[get("scene")];

  const which = choice({
    label: "Picture", options: Object.fromEntries(Object.keys(get("scenes")).map((name) => [name, name])),
    onchange: (name) => ui.begin({ scene: name, step: 0 }),
  });
  const view = buttons({ label: "View", options: VIEWS, onchange: (v) => ui.set({ view: v }) });
  const strides = choice({
    label: "cell", options: { 4: "4 pixels", 8: "8 pixels", 16: "16 pixels" }, onchange: (v) => ui.set({ stride: Number(v) }),
  });
  const share = (label, key, more = {}) => slider({
    label, min: 0, max: 1, step: 0.05, oninput: (v) => ui.set({ [key]: Math.round(100 * v) / 100, ...more }),
  });
  const positive = share("positive from", "positive");
  const negative = share("negative below", "negative");
  const threshold = share("threshold", "threshold", { step: 0 });
  const switches = Object.entries(SHAPES).map(([name, [high, wide]]) => [name, checkbox({
    text: [h("span", {}, name), h("span", { class: "cb-shape" }, `${high} × ${wide}`)], "data-key": name,
    onchange: (on) => ui.set({ shapes: Object.keys(SHAPES).filter((n) => (n === name ? on : get("shapes").includes(n))) }),
  })]);
  const byClass = checkbox({ text: "each class by itself", onchange: (on) => ui.set({ by_class: on, step: 0 }) });
  const controls = {
    box: [],
    anchors: [strides.el, positive.el, negative.el, h("div", { class: "cb-anc-switches", role: "group", "aria-label": "Shapes of anchors" }, switches.map(([, box]) => box.el))],
    nms: [threshold.el, byClass.el],
  };
  const settings = h("div", { class: "cb-controls cb-anc-settings" });

  const pick = (y, x) => {
    const [rows, cols] = cells();
    ui.set({ row: clamp(Math.floor(y / get("stride")), 0, rows - 1), col: clamp(Math.floor(x / get("stride")), 0, cols - 1) });
  };
  const easel = board({
    label: "The picture with its boxes; the arrow keys move the box or the cell, with Shift they size the box",
    onpoint: (y, x) => { if (get("view") === "anchors") pick(y, x); },
    onhover: (y, x) => { if (get("view") === "anchors") pick(y, x); },
    onarrow: (rows, cols, event) => {
      if (get("view") === "box") mover.nudge(rows, cols, event.shiftKey);
      else if (get("view") === "anchors") pick((cell()[0] + rows + 0.5) * get("stride"), (cell()[1] + cols + 0.5) * get("stride"));
      else go(steps.position() + rows + cols);
    },
  });
  const mover = movableBox(easel, {
    onchange: (box) => ui.set({ box }), limits: () => [scene().height, scene().width], least: 2,
  });
  const go = (step) => ui.set({ step: clamp(step, 0, rounds().length) });
  const steps = {
    count: () => rounds().length + 1,
    position: () => clamp(get("step"), 0, rounds().length),
    go,
  };
  const playing = player({ ...steps, loop: false });
  ui.tools.append(...playing.els);

  const side = h("div", { class: "cb-side" });
  const remark = live("cb-remark");
  const legend = h("div", { class: "cb-legend" });
  ui.add(h("div", { class: "cb-controls" }, which.el, view.el), settings,
    h("div", { class: "cb-pictureside" }, easel.el, h("div", {}, side, remark)), legend);
  const hold = holdHeight(settings, side);

  const cells = () => [scene().height, scene().width].map((n) => Math.ceil(n / get("stride")));
  const cell = () => { const [rows, cols] = cells(); return [clamp(get("row"), 0, rows - 1), clamp(get("col"), 0, cols - 1)]; };
  const guesses = () => get("found")[get("scene")];
  const rounds = () => suppression(guesses().map(({ box }) => box), get("threshold"),
    (i, j) => get("by_class") && guesses()[i].name !== guesses()[j].name);

  const things = () => scene().boxes.map((box, t) => [
    rectangle(box, { class: "cb-under" }), rectangle(box, { class: "cb-thing" }), nameOf(box, tagOf(scene().names, t), scene().width),
  ]);
  const frameOf = (box, cls) => [rectangle(box, { class: "cb-under" }), rectangle(box, { class: cls })];

  function draw() {
    const now = get("view");
    which.show(get("scene"));
    view.show(now);
    strides.show(get("stride"));
    positive.show(get("positive"));
    negative.show(get("negative"));
    threshold.show(get("threshold"));
    byClass.show(get("by_class"));
    for (const [name, box] of switches) box.show(get("shapes").includes(name));
    if (settings.dataset.view !== now) {
      settings.dataset.view = now;
      settings.replaceChildren(...controls[now]);
    }
    for (const tool of playing.els) tool.hidden = now !== "nms";
    if (now !== "nms") playing.stop();
    const parts = { box: oneBox, anchors: allAnchors, nms: whichToKeep }[now]();
    easel.show(scene(), ...parts.drawn);
    mover.show(get("box"), now === "box");
    side.replaceChildren(...parts.side);
    remark.textContent = parts.remark;
    legend.textContent = parts.legend;
    hold(`${now} ${get("scene")} ${get("stride")} ${get("shapes")} ${get("by_class")}`);
  }

  function oneBox() {
    const box = get("box");
    const { boxes } = scene();
    const names = titlesOf(scene().names);
    const overlaps = boxes.map((thing) => iou(box, thing));
    const best = overlaps.indexOf(Math.max(...overlaps));
    const shown = bars("Overlap with each thing", names);
    shown.show(overlaps, { truth: overlaps[best] >= get("positive") ? best : undefined });
    const [both, own, its] = [common(box, boxes[best]), areaOf(box), areaOf(boxes[best])];
    const code = encode(boxes[best], box);
    const verdict = overlaps[best] >= get("positive") ? "As an anchor, this box would be positive"
      : overlaps[best] < get("negative") ? "As an anchor, this box would be negative"
        : "As an anchor, this box would be neither positive nor negative, and not be asked";
    return {
      drawn: things(),
      side: [
        h("div", {}, h("b", {}, "IoU"), " with each thing"), shown.el,
        h("div", { class: "cb-formula" },
          h("div", {}, `Box ${boxText(box)} and ${names[best]} ${boxText(boxes[best])}:`),
          h("div", {}, `common ${fmt(both)}, together ${fmt(own)} + ${fmt(its)} − ${fmt(both)} = ${fmt(own + its - both)}`),
          h("div", {}, "IoU = ", h("b", { class: "cb-result", "data-value": overlaps[best] }, overlaps[best].toFixed(3)))),
        h("div", { class: "cb-formula cb-anc-code" },
          h("div", {}, `What a network with this anchor should say to mean the ${names[best]}:`),
          h("div", {}, code.map((v, i) => [i ? ", " : "", h("span", { class: "cb-nowrap", "data-code": v }, letter(LETTERS[i]), ` = ${fmt(v)}`)]))),
      ],
      remark: `${verdict}: ${fmt(overlaps[best])} with the ${names[best]}, thresholds ${fmt(get("negative"))} and ${fmt(get("positive"))}.`,
      legend: "White: the things. Orange: the box; drag it, or its corners. Keys: arrows move it, Shift with arrows sizes it.",
    };
  }

  function allAnchors() {
    const { boxes } = scene();
    const names = titlesOf(scene().names);
    const [rows, cols] = cells();
    const stride = get("stride");
    const shapes = Object.entries(SHAPES).filter(([name]) => get("shapes").includes(name));
    const anchors = [];
    for (let row = 0; row < rows; row++)
      for (let col = 0; col < cols; col++)
        for (const [name, shape] of shapes) anchors.push({ row, col, name, box: anchorAt(row, col, stride, shape) });
    const overlaps = anchors.map(({ box }) => boxes.map((thing) => iou(box, thing)));
    const kinds = kindsOf(overlaps, get("positive"), Math.min(get("positive"), get("negative")));
    const counts = [1, 0, -1].map((kind) => kinds.filter((k) => k === kind).length);
    const [row, col] = cell();
    const dots = [];
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < cols; c++) {
        const own = kinds.slice((r * cols + c) * shapes.length, (r * cols + c + 1) * shapes.length);
        const cls = own.includes(1) ? "positive" : own.includes(-1) ? "neither" : "";
        dots.push(svg("circle", { class: `cb-dot ${cls}`, cx: (c + 0.5) * stride, cy: (r + 0.5) * stride, r: cls === "positive" ? 1.1 : 0.6 }));
      }
    const chosen = anchors.map((a, i) => ({ ...a, i })).filter((a) => a.row === row && a.col === col);
    const missed = names.filter((_, t) => !overlaps.some((o) => o[t] >= get("positive")));
    return {
      drawn: [
        things(), anchors.filter((_, i) => kinds[i] === 1).map(({ box }) => rectangle(box, { class: "cb-positive", "stroke-opacity": 0.8 })), dots,
        chosen.map(({ box, i }) => frameOf(box, `cb-chosen${kinds[i] === 1 ? " cb-positive" : ""}`)),
        rectangle([row * stride, col * stride, (row + 1) * stride, (col + 1) * stride], { class: "cb-line" }),
      ],
      side: [
        h("div", { class: "cb-anc-counts" }, `${rows} × ${cols} cells · ${shapes.length} shapes = ${anchors.length} anchors: `,
          counts.map((n, i) => [i ? ", " : "", h("b", {}, n), ` ${KINDS[[1, 0, -1][i]]}`])),
        h("div", { class: "cb-rows" },
          h("div", { class: "cb-line-row head" }, ["anchor", "IoU", "with", "so it is"].map((text) => h("span", {}, text))),
          chosen.map(({ name, i }) => {
            const most = Math.max(...overlaps[i]);
            return h("div", { class: `cb-line-row${kinds[i] === 1 ? " kept" : ""}`, "data-kind": kinds[i], "data-overlap": most },
              h("span", {}, name), h("span", { class: "end" }, fmt(most)), h("span", {}, most > 0 ? names[overlaps[i].indexOf(most)] : "nothing"),
              h("span", {}, KINDS[kinds[i]] + (kinds[i] === 1 && most < get("positive") ? ", the best there is" : "")));
          })),
        h("div", {}, `Cell in row ${row}, column ${col}: its anchors are drawn in yellow.`),
      ],
      remark: [
        missed.length && shapes.length ? `No anchor overlaps ${missed.map((name) => `the ${name}`).join(" and ")} by ${fmt(get("positive"))}: only the best one${missed.length > 1 ? " of each" : ""} is positive.` : "",
        shapes.length ? "" : "Without a shape there is no anchor, and nothing to learn from.",
        get("negative") > get("positive") ? "Negative can't begin above positive: here it ends there." : "",
      ].filter(Boolean).join(" "),
      legend: "Green: positive anchors, and cells that have one. Yellow dots: cells with an anchor that is neither. White dots: all others.",
    };
  }

  function whichToKeep() {
    const all = guesses();
    const done = rounds();
    const step = clamp(get("step"), 0, done.length);
    const fate = new Map();
    done.slice(0, step).forEach(({ kept, removed }, k) => {
      fate.set(kept, { kept: true, now: k === step - 1 });
      for (const { index, overlap } of removed) fate.set(index, { by: kept, overlap, now: k === step - 1 });
    });
    const state = (i) => (fate.get(i) ? (fate.get(i).kept ? "cb-positive" : "cb-gone") : "cb-wait");
    const order = all.map((_, i) => i);
    const last = done[step - 1];
    return {
      drawn: [
        order.filter((i) => !(fate.get(i)?.by !== undefined && !fate.get(i).now)).reverse().map((i) => frameOf(all[i].box, state(i))),
        last ? nameOf(all[last.kept].box, `${all[last.kept].name} ${fmt(all[last.kept].score)}`, scene().width) : [],
      ],
      side: [
        h("div", { class: "cb-anc-counts" }, `Step ${step} of ${done.length}: `, h("b", {}, [...fate.values()].filter((f) => f.kept).length), " kept, ",
          h("b", {}, [...fate.values()].filter((f) => !f.kept).length), " removed, ", h("b", {}, all.length - fate.size), " to come"),
        h("div", { class: "cb-rows" },
          h("div", { class: "cb-line-row head" }, ["no.", "score", "says", ""].map((text) => h("span", {}, text))),
          order.map((i) => {
            const f = fate.get(i);
            return h("div", { class: `cb-line-row${f ? (f.kept ? " kept" : " gone") : ""}${f?.now ? " now" : ""}`, "data-guess": i },
              h("span", { class: "end" }, i + 1), h("span", { class: "end" }, all[i].score.toFixed(2)), h("span", {}, all[i].name),
              h("span", { class: "why" }, f ? (f.kept ? "✓ kept" : `by no. ${f.by + 1}, IoU ${f.overlap.toFixed(2)}`) : ""));
          })),
      ],
      remark: last
        ? `The best that is left is kept: no. ${last.kept + 1}, ${all[last.kept].name}. ${last.removed.length
          ? `It overlaps ${last.removed.length} other${last.removed.length > 1 ? "s" : ""} by more than ${fmt(get("threshold"))}: they go.`
          : "It overlaps nothing that is left by more than the threshold."}`
        : "A network has said all this, sorted by score. Step forward: the best is kept, and removes what overlaps it.",
      legend: "Pale: still to come. Green: kept. Red, dashed: removed in this step.",
    };
  }

  return ui.start({ stop: playing.stop });
}

export default { render };
