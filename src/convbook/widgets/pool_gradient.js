// PoolGradientExplorer: the gradient of each window goes to its maximum, or in equal parts to all
// of its cells.
import {
  build, clamp, firstLargest, fitted, outputSize, pool2dBackward, reached, shapeOf, windowCells,
} from "./kit/arithmetic.js";
import { buttons, examples, player, slider, stepper } from "./kit/controls.js";
import { after, h, live } from "./kit/elements.js";
import { joined, symbol, times } from "./kit/formula.js";
import { frame } from "./kit/frame.js";
import { matrix } from "./kit/matrix.js";
import { factor, fmt } from "./kit/text.js";
import "./kit/gradient.css";
import "./pool_gradient.css";

const KEYS = ["x", "dy", "kind", "kernel_size", "stride", "row", "col"];
const LARGEST = 8;
const KINDS = { max: "Max", average: "Average" };

const PLAIN = {
  x: [[1, 2, 3, 4], [5, 6, 7, 8], [16, 15, 14, 13], [12, 11, 10, 9]], dy: [[1, 2], [3, 4]], kernel_size: 2, stride: 2,
};
const PRESETS = {
  course: ["Course: 4 × 4, windows of 2 × 2", PLAIN],
  overlap: ["Windows that overlap: one maximum for several", {
    ...PLAIN, x: [[1, 0, 2, 1, 0], [0, 3, 1, 4, 2], [2, 1, 9, 0, 1], [1, 5, 0, 6, 3], [0, 2, 1, 3, 8]],
    kernel_size: 3,
  }],
  ties: ["Ties: equal numbers in a window", {
    ...PLAIN, x: [[5, 5, 0, 3], [5, 5, 3, 0], [0, 0, -1, -1], [0, 0, -1, -1]], dy: [[4, 8], [-4, 2]],
  }],
  gaps: ["A stride wider than the window", {
    ...PLAIN, x: [[1, 4, 7, 2, 0], [3, 2, 8, 5, 6], [9, 6, 5, 4, 3], [2, 7, 1, 8, 4], [0, 5, 3, 6, 9]],
    stride: 3,
  }],
};

function render({ model, el }) {
  const ui = frame({ model, el, title: "Pooling, backwards: where the gradient goes", keys: KEYS, draw, walks: ["row", "col"] });
  const get = (key) => model.get(key);

  // The kind stays: the same numbers with both kinds of pooling are worth comparing.
  const preset = examples({ options: PRESETS, start: { row: 0, col: 0 }, get, set: ui.begin });
  const kind = buttons({
    label: "Pooling that is written out", name: "written out",
    options: { max: ["Max", "Write out max pooling"], average: ["Average", "Write out average pooling"] },
    onchange: (value) => ui.set({ kind: value }),
  });
  const size = slider({ label: "window", min: 1, max: 4, oninput: (v) => change({ kernel_size: v }) });
  const stride = slider({ label: "stride S", min: 1, max: 4, oninput: (v) => change({ stride: v }) });

  const edit = (key) => (r, c, value) => {
    const next = structuredClone(key === "dy" ? dyNow() : get(key));
    next[r][c] = value;
    ui.set({ [key]: next });
  };
  const X = matrix({ symbol: "X", label: "Input X", onedit: edit("x") });
  const DY = matrix({ symbol: "dY", label: "Gradient dY", onedit: edit("dy"), onpick: (row, col) => ui.set({ row, col }) });
  const steppers = ["H", "W"].map((label, axis) => stepper({ label, min: 1, max: LARGEST, onchange: (n) => {
    const shape = shapeOf(get("x"));
    shape[axis] = clamp(n, 1, LARGEST);
    change({ x: fitted(get("x"), ...shape, 0) });
  } }));
  X.el.append(h("div", { class: "cb-sizes" }, steppers.map((s) => s.el)));
  const gradients = Object.fromEntries(Object.entries(KINDS).map(([key, text]) => {
    const m = matrix({ symbol: "dX", label: `Gradient dX of ${text.toLowerCase()} pooling` });
    m.caption.append(h("span", { class: "cb-kindname" }, `${text.toLowerCase()} pooling`));
    return [key, m];
  }));

  const steps = player({
    count: () => (fits() ? outputShape()[0] * outputShape()[1] : 0),
    position: () => { const [row, col] = picked(); return row * outputShape()[1] + col; },
    go: (k) => { const [, ow] = outputShape(); ui.set({ row: Math.floor(k / ow), col: k % ow }); },
  });
  ui.tools.append(...steps.els);
  const message = h("div", { class: "cb-message", role: "status" });
  const toDX = after("→", gradients.max.el, gradients.average.el);
  toDX.classList.add("cb-pair");
  const stage = h("div", { class: "cb-stage cb-gradient" }, X.el, DY.el, toDX);
  const sum = live("cb-sum");
  const remark = h("div", { class: "cb-remark" });
  const totals = h("div", { class: "cb-formula" });
  const legend = h("div", { class: "cb-legend" });
  ui.add(h("div", { class: "cb-controls" }, preset.el, kind.el, size.el, stride.el), message, stage, sum, remark, totals, legend);
  const hold = ui.hold(stage, sum, remark, totals, legend);

  function outputShape(s = {}) {
    const [x, K, S] = ["x", "kernel_size", "stride"].map((key) => s[key] ?? get(key));
    return shapeOf(x).map((n) => outputSize(n, K, S));
  }
  const fits = () => outputShape().every((n) => n > 0);
  const dyNow = () => (fits() ? fitted(get("dy"), ...outputShape()) : get("dy"));
  /** New values, and dY in the shape that Y has with them. */
  function change(values) {
    const shape = outputShape(values);
    ui.set({ ...values, ...(shape.every((n) => n > 0) ? { dy: fitted(get("dy"), ...shape) } : {}) });
  }
  function picked() {
    const [oh, ow] = outputShape();
    return [clamp(get("row"), 0, Math.max(0, oh - 1)), clamp(get("col"), 0, Math.max(0, ow - 1))];
  }

  function draw() {
    const [x, K, S] = ["x", "kernel_size", "stride"].map(get);
    const max = get("kind") === "max";
    const dy = dyNow();
    const possible = fits();
    const [hx, wx] = shapeOf(x);
    const [oh, ow] = outputShape();
    const [row, col] = picked();
    preset.show();
    kind.show(get("kind"));
    size.show(K);
    stride.show(S);
    steppers.forEach((s, axis) => s.show([hx, wx][axis]));

    const seen = reached(hx, wx, K, K, S);
    const cells = possible ? windowCells(row, col, K, K, S) : [];
    const inside = new Set(cells.map((k) => `${k.r},${k.c}`));
    const best = possible ? firstLargest(x, cells) : null;
    const isBest = (r, c) => best?.r === r && best.c === c;
    const sources = possible ? windowsOf() : null; // for each cell of X, the windows that send it a gradient
    const votes = (r, c) => {
      const n = sources?.max[r][c].length;
      return n ? `●${n > 1 ? n : ""}` : "";
    };
    const unread = (r, c) => !seen[r][c] && "unreached";
    X.show(x, {
      mark: (r, c) => [unread(r, c), inside.has(`${r},${c}`) && "window", isBest(r, c) && "best"].filter(Boolean).join(" "),
      note: votes,
    });
    DY.el.hidden = !possible;
    toDX.hidden = !possible;
    message.textContent = possible ? "" : `A window of ${times(K, K)} does not fit into an input of ${times(hx, wx)}. `
      + "Take a smaller window, or a larger input.";
    if (possible) {
      DY.show(dy, { mark: (r, c) => (r === row && c === col ? "picked" : "") });
      const both = Object.keys(KINDS).map((key) => pool2dBackward(dy, x, K, S, key));
      // One scale for both: the same gradient, spread over four cells, is paler.
      const scale = Math.max(1e-12, ...both.flat(2).map(Math.abs));
      gradients.max.show(both[0], {
        scale, mark: (r, c) => [unread(r, c), isBest(r, c) && "window best"].filter(Boolean).join(" "),
        note: votes,
      });
      gradients.average.show(both[1], {
        scale, mark: (r, c) => [unread(r, c), inside.has(`${r},${c}`) && "window"].filter(Boolean).join(" "),
      });
      for (const key of Object.keys(KINDS)) gradients[key].el.classList.toggle("picked", key === get("kind"));
    }
    sum.replaceChildren(...(possible ? sentences() : []));
    remark.textContent = possible ? remarks() : "";
    totals.replaceChildren(...(possible ? totalLine() : []));
    legend.textContent = possible ? legends() : "";
    hold();

    function windowsOf() {
      const lists = () => build(hx, wx, () => []);
      const found = { max: lists(), average: lists() };
      for (let r = 0; r < oh; r++)
        for (let c = 0; c < ow; c++) {
          const under = windowCells(r, c, K, K, S);
          const first = firstLargest(x, under);
          found.max[first.r][first.c].push([r, c]);
          for (const k of under) found.average[k.r][k.c].push([r, c]);
        }
      return found;
    }
    /** What the chosen window sends, and the whole sum of the cell that gets it. */
    function sentences() {
      const n = K * K;
      const dyName = symbol("dy", row, col);
      const g = dy[row][col];
      // For the average the first cell of the window stands for all: each gets the same part.
      const taker = max ? best : cells[0];
      const from = sources[get("kind")][taker.r][taker.c];
      const letters = joined(from.map(([r, c]) => h("span", { class: "cb-nowrap" }, ...symbol("dy", r, c))));
      const numbers = from.map(([r, c]) => factor(dy[r][c])).join(" + ");
      const total = from.reduce((s, [r, c]) => s + dy[r][c], 0) / (max ? 1 : n);
      const several = from.length > 1;
      const brackets = (parts) => (max || !several ? parts : ["(", parts, ")"]);
      const part = max ? [] : [` / ${n}`];
      return [
        h("span", {}, ...dyName, " ="),
        h("span", {}, ...(max
          ? [`${fmt(g)} goes, all of it, to the maximum `, ...symbol("x", best.r, best.c), ` = ${fmt(x[best.r][best.c])}`]
          : [`${fmt(g)} goes in ${n} equal part${n > 1 ? "s" : ""} to ${n > 1 ? "all cells" : "the one cell"} of the window: `,
            `${fmt(g)} / ${n} = ${fmt(g / n)}${n > 1 ? " each" : ""}`])),
        h("span", {}, "∂E/∂", ...symbol("x", taker.r, taker.c), " ="),
        h("span", {}, brackets(letters), part, " = ", ...(several || !max ? [brackets([numbers]), part, " = "] : []),
          h("b", { class: "cb-result", "data-value": total }, fmt(total))),
      ];
    }
    function remarks() {
      const value = x[best.r][best.c];
      const ties = cells.filter((k) => x[k.r][k.c] === value).length;
      const sharing = sources[get("kind")].flat().some((list) => list.length > 1);
      return [
        ties > 1 && max ? `A tie: ${fmt(value)} stands in the window ${ties} times. The first one, row by row, gets `
          + "all of the gradient and the others nothing, as in PyTorch." : "",
        sharing ? "The windows overlap: a cell that several windows send a gradient to gets the sum." : "",
      ].filter(Boolean).join(" ");
    }
    function totalLine() {
      const add = (values) => values.flat().reduce((s, v) => s + v, 0);
      return [h("div", {}, "Nothing is lost: dY adds up to ", h("b", {}, fmt(add(dy))), ", and so does each dX.")];
    }
    function legends() {
      const missed = seen.flat().filter((s) => !s).length;
      const twice = sources.max.flat().some((list) => list.length > 1);
      return [
        `● the maximum of a window${twice ? " (●2: of two windows, and so on)" : ""}`,
        missed ? `hatched: ${missed} cell${missed > 1 ? "s" : ""} that no window reads; the gradient there is 0` : "",
      ].filter(Boolean).join(" · ");
    }
  }

  return ui.start({ stop: steps.stop });
}

export default { render };
