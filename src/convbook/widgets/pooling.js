// PoolingExplorer: a window slides over every channel; its largest number, or its average, goes to
// the output.
import {
  build, clamp, firstLargest, outputSize, pool2d, reached, shapeOf, windowCells,
} from "./kit/arithmetic.js";
import { buttons, examples, player, slider, stepper } from "./kit/controls.js";
import { after, button, h, live } from "./kit/elements.js";
import { sizeFormula, times } from "./kit/formula.js";
import { frame } from "./kit/frame.js";
import { matrix } from "./kit/matrix.js";
import { factor, fmt } from "./kit/text.js";
import "./pooling.css";

const KEYS = ["x", "kind", "kernel_size", "stride", "channel", "row", "col"];
const LIMITS = [3, 8, 8];
const AXES = ["C", "H", "W"];
const CELL = 36; // widest a cell gets, in pixels, with the gap beside it

const course = [[1, 2, 3, 4], [5, 6, 7, 8], [16, 15, 14, 13], [12, 11, 10, 9]];
const second = [[0, 2, -1, 3], [4, 1, 3, 0], [-2, 5, -3, -4], [1, 0, -1, -2]];
// Numbers from 0 to 9 in no visible order, the same each time.
const varied = (ch, r, c) => ((17 * r * r + 31 * c * c + 13 * r * c + 7 * r + 3 * c + 29 * ch + 5) % 37) % 10;
const dots = (shift) => build(6, 6, (r, c) => (["0,1", "2,3", "4,1", "5,5"].includes(`${r},${c - shift}`) ? 9 : 0));
const PLAIN = { kernel_size: 2, stride: 2 };
const PRESETS = {
  course: ["Course: 4 × 4, and a second channel", { ...PLAIN, x: [course, second] }],
  overlap: ["Windows that overlap: 3 × 3, stride 2",
    { ...PLAIN, x: [build(7, 7, (r, c) => varied(0, r, c))], kernel_size: 3 }],
  gaps: ["A stride wider than the window",
    { ...PLAIN, x: [build(7, 7, (r, c) => varied(1, r, c))], stride: 3 }],
  floor: ["5 × 5: the last row and column are left out",
    { ...PLAIN, x: [build(5, 5, (r, c) => varied(2, r, c))] }],
  shift: ["A small shift: channel 1 is channel 0, one cell to the left",
    { ...PLAIN, x: [dots(0), dots(-1)] }],
};

function render({ model, el }) {
  const ui = frame({ model, el, title: "Pooling: one number per window", keys: KEYS, draw, walks: ["channel", "row", "col"] });
  const get = (key) => model.get(key);

  // The kind stays: the same numbers, once with the maximum and once with the average, are worth
  // comparing.
  const preset = examples({ options: PRESETS, start: { channel: 0, row: 0, col: 0 }, get, set: ui.begin });
  const kind = buttons({
    label: "Kind of pooling", name: "pooling",
    options: { max: ["Max", "Max pooling"], average: ["Average", "Average pooling"] },
    onchange: (value) => ui.set({ kind: value }),
  });
  const size = slider({ label: "window", min: 1, max: 4, oninput: (v) => ui.set({ kernel_size: v }) });
  const stride = slider({ label: "stride S", min: 1, max: 4, oninput: (v) => ui.set({ stride: v }) });
  const steppers = AXES.map((label, axis) =>
    stepper({ label, min: 1, max: LIMITS[axis], onchange: (v) => resize(axis, v) }));

  const pick = (channel, row, col) => ui.set({ channel, row, col });
  const channels = Array.from({ length: LIMITS[0] }, (_, ch) => {
    const X = matrix({ symbol: `X[${ch}]`, label: `Input X, channel ${ch}`, onedit: (r, c, value) => {
      const next = structuredClone(get("x"));
      next[ch][r][c] = value;
      ui.set({ x: next });
    } });
    const Y = matrix({ symbol: `Y[${ch}]`, label: `Output Y, channel ${ch}`, onpick: (r, c) => pick(ch, r, c) });
    const arrow = after("→", Y.el);
    const group = h("div", { class: "cb-stage", role: "group", "aria-label": `Channel ${ch}` }, X.el, arrow);
    return { X, Y, arrow, el: group };
  });
  const tabs = channels.map((_, ch) =>
    button(`channel ${ch}`, `Show channel ${ch}`, () => ui.set({ channel: ch })));

  const steps = player({
    count: () => { const [oh, ow] = outputShape(); return Math.max(0, oh) * Math.max(0, ow); },
    position: () => { const [, ow] = outputShape(); const [, row, col] = picked(); return row * ow + col; },
    go: (k) => { const [, ow] = outputShape(); ui.set({ row: Math.floor(k / ow), col: k % ow }); },
  });
  ui.tools.append(...steps.els);
  const shapes = h("div", { class: "cb-shapes" });
  const tabbar = h("div", { class: "cb-tabs", role: "group", "aria-label": "Channel" }, tabs);
  const stage = h("div", { class: "cb-stage cb-channels" }, channels.map((channel) => channel.el));
  const message = h("div", { class: "cb-message", role: "status" });
  const sum = live("cb-sum");
  const remark = h("div", { class: "cb-remark" });
  const formula = h("div", { class: "cb-formula" });
  const legend = h("div", { class: "cb-legend" });
  ui.add(
    h("div", { class: "cb-controls" }, preset.el, kind.el, size.el, stride.el),
    h("div", { class: "cb-sizes" }, steppers.map((s) => s.el)),
    shapes, tabbar, stage, message, sum, remark, formula, legend,
  );
  const hold = ui.hold(stage, sum, remark, formula, legend);

  function resize(axis, length) {
    const old = get("x");
    const shape = [old.length, ...shapeOf(old[0])];
    shape[axis] = clamp(length, 1, LIMITS[axis]);
    ui.set({ x: Array.from({ length: shape[0] }, (_, ch) =>
      build(shape[1], shape[2], (r, c) => old[ch]?.[r]?.[c] ?? varied(ch, r, c))) });
  }
  function outputShape() {
    return shapeOf(get("x")[0]).map((n) => outputSize(n, get("kernel_size"), get("stride")));
  }
  function picked() {
    const [oh, ow] = outputShape();
    return [clamp(get("channel"), 0, get("x").length - 1),
      clamp(get("row"), 0, Math.max(0, oh - 1)), clamp(get("col"), 0, Math.max(0, ow - 1))];
  }
  /**
   * Whether all channels can be shown together: each with its output beside it, and in few lines.
   */
  function fits(c, rows, cols, ow) {
    const perLine = Math.floor(stage.clientWidth / ((cols + Math.max(1, ow)) * CELL + 70));
    return perLine > 0 && Math.ceil(c / perLine) * rows <= 12;
  }

  function draw() {
    const x = get("x");
    const [max, K, S] = [get("kind") === "max", get("kernel_size"), get("stride")];
    const [hx, wx] = shapeOf(x[0]);
    const [oh, ow] = outputShape();
    const possible = oh > 0 && ow > 0;
    const [channel, row, col] = picked();
    preset.show();
    kind.show(get("kind"));
    size.show(K, { max: Math.max(4, K) });
    stride.show(S, { max: Math.max(4, S) });
    steppers.forEach((s, axis) => s.show([x.length, hx, wx][axis]));
    shapes.replaceChildren("X: C × H × W = ", h("b", {}, times(x.length, hx, wx)),
      ", window FH × FW = ", h("b", {}, times(K, K)),
      ...(possible ? [" → Y: C × OH × OW = ", h("b", {}, times(x.length, oh, ow))] : []));

    const all = fits(x.length, hx, wx, ow);
    tabbar.hidden = all || x.length === 1;
    tabs.forEach((tab, ch) => {
      tab.hidden = ch >= x.length;
      tab.setAttribute("aria-pressed", ch === channel);
    });
    const seen = reached(hx, wx, K, K, S);
    const cells = possible ? windowCells(row, col, K, K, S) : [];
    const inside = new Set(cells.map((k) => `${k.r},${k.c}`));
    let twice = false;
    channels.forEach(({ X, Y, arrow, el: group }, ch) => {
      group.hidden = ch >= x.length || (!all && ch !== channel);
      if (ch >= x.length) return;
      const votes = max ? chosenBy(x[ch]) : build(hx, wx, () => 0);
      if (!group.hidden) twice ||= votes.flat().some((n) => n > 1);
      const best = max && possible ? firstLargest(x[ch], cells) : null;
      X.show(x[ch], {
        mark: (r, c) => [!seen[r][c] && "unreached", inside.has(`${r},${c}`) && "window",
          best?.r === r && best.c === c && "best"].filter(Boolean).join(" "),
        note: (r, c) => (votes[r][c] ? `●${votes[r][c] > 1 ? votes[r][c] : ""}` : ""),
      });
      arrow.style.visibility = possible ? "" : "hidden";
      if (possible) Y.show(pool2d(x[ch], K, S, get("kind")), {
        mark: (r, c) => (r === row && c === col ? (ch === channel ? "picked" : "window") : ""),
      });
    });

    message.textContent = possible ? "" : `A window of ${times(K, K)} does not fit into channels of `
      + `${times(hx, wx)}. Take a smaller window, or a larger input.`;
    const values = cells.map((k) => x[channel][k.r][k.c]);
    sum.replaceChildren(...(possible ? [
      h("span", {}, h("i", {}, "y"), h("sub", {}, `${channel},${row},${col}`), " ="),
      h("span", {}, ...sentence(values)),
    ] : []));
    remark.textContent = possible ? [max && choiceRemark(values), overlapRemark()].filter(Boolean).join(" ") : "";
    formula.replaceChildren(...[["OH", "H", "FH", hx], ["OW", "W", "FW", wx]].map(([o, n, k, length]) =>
      h("div", {}, sizeFormula(o, n, k, { size: length, kernel: K, stride: S }))));
    const missed = seen.flat().filter((s) => !s).length;
    legend.textContent = [
      max && possible ? `● chosen by a window${twice ? " (●2: by two, and so on)" : ""}` : "",
      possible && missed ? `hatched: ${missed} cell${missed > 1 ? "s" : ""} of each channel that no window reads` : "",
    ].filter(Boolean).join(" · ");
    hold();

    /** How many windows choose each cell of a channel. */
    function chosenBy(matrix) {
      const votes = build(hx, wx, () => 0);
      for (let r = 0; r < oh; r++)
        for (let c = 0; c < ow; c++) {
          const k = firstLargest(matrix, windowCells(r, c, K, K, S));
          votes[k.r][k.c] += 1;
        }
      return votes;
    }
    function sentence(numbers) {
      const result = pool2d(x[channel], K, S, get("kind"))[row][col];
      const shown = h("b", { class: "cb-result" }, fmt(result));
      if (max) return [`max(${numbers.map((v) => fmt(v)).join(", ")}) = `, shown];
      const sign = Number(fmt(result).replace("−", "-")) === result ? "=" : "≈";
      return [`(${numbers.map(factor).join(" + ")}) / ${numbers.length} ${sign} `, shown];
    }
    function choiceRemark(numbers) {
      const best = firstLargest(x[channel], cells);
      const top = x[channel][best.r][best.c];
      const ties = numbers.filter((v) => v === top).length;
      const place = `row ${best.r}, column ${best.c}`;
      return ties > 1
        ? `A tie: ${fmt(top)} stands in the window ${ties} times. The first one wins, as in PyTorch: ${place}.`
        : `The maximum stands in ${place} of X[${channel}].`;
    }
    function overlapRemark() {
      if (K === S || oh * ow === 1) return "";
      const lines = Math.abs(K - S) === 1 ? "1 row or column" : `${Math.abs(K - S)} rows or columns`;
      return S < K ? `The windows overlap: neighbours share ${lines}.`
        : `The windows leave a gap of ${lines} between them.`;
    }
  }

  // The height of what is watched does not follow from what is drawn: no loop.
  return ui.start({ watch: shapes, stop: steps.stop });
}

export default { render };
