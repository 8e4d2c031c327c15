// UnpoolExplorer: max pooling with its positions, and back.
import { build, clamp, firstLargest, fitted, outputSize, pool2d, reached, shapeOf, windowCells } from "./kit/arithmetic.js";
import { checkbox, examples, player, slider, stepper } from "./kit/controls.js";
import { after, h, live } from "./kit/elements.js";
import { symbol, times } from "./kit/formula.js";
import { frame } from "./kit/frame.js";
import { matrix } from "./kit/matrix.js";
import { fmt } from "./kit/text.js";
import "./unpool.css";

const KEYS = ["x", "kernel_size", "stride", "same", "z", "row", "col"];
const LARGEST = 8;

const PLAIN = {
  x: [[1, 2, 3, 4], [5, 6, 7, 8], [16, 15, 14, 13], [12, 11, 10, 9]], kernel_size: 2, stride: 2, same: true,
};
const PRESETS = {
  course: ["Course: 4 × 4, windows of 2 × 2", PLAIN],
  edge: ["An edge: positions keep its steps", {
    ...PLAIN, x: [[0, 0, 9, 0, 0, 0], [0, 0, 0, 9, 0, 0], [0, 0, 0, 9, 0, 0], [0, 0, 0, 0, 9, 0], [0, 0, 0, 0, 9, 0], [0, 0, 0, 0, 0, 9]],
  }],
  other: ["Other numbers come back than went in", { ...PLAIN, same: false, z: [[1, -1], [0.5, 3]] }],
  overlap: ["Windows that overlap: two for one place", {
    ...PLAIN, x: [[1, 0, 2, 1, 0], [0, 3, 1, 4, 2], [2, 1, 9, 0, 1], [1, 5, 0, 6, 3], [0, 2, 1, 3, 8]], kernel_size: 3, same: false,
    z: [[1, 2], [3, 4]],
  }],
  ties: ["Ties: the first of equal numbers", {
    ...PLAIN, x: [[5, 5, 0, 3], [5, 5, 3, 0], [0, 0, -1, -1], [0, 0, -1, -1]],
  }],
};

function render({ model, el }) {
  const ui = frame({ model, el, title: "Max pooling with its positions, and back", keys: KEYS, draw, walks: ["row", "col"] });
  const get = (key) => model.get(key);
  const preset = examples({ options: PRESETS, start: { row: 0, col: 0 }, get, set: ui.begin });
  const size = slider({ label: "window", min: 1, max: 4, oninput: (v) => change({ kernel_size: v }) });
  const stride = slider({ label: "stride S", min: 1, max: 4, oninput: (v) => change({ stride: v }) });
  const same = checkbox({ text: "put Y itself back", onchange: (on) => ui.set(on ? { same: true } : { same: false, z: numbers() }) });

  const X = matrix({ symbol: "X", label: "Input X", onedit: (r, c, value) => {
    const next = structuredClone(get("x"));
    next[r][c] = value;
    ui.set({ x: next });
  } });
  const steppers = ["H", "W"].map((label, axis) => stepper({ label, min: 1, max: LARGEST, onchange: (n) => {
    const shape = shapeOf(get("x"));
    shape[axis] = clamp(n, 1, LARGEST);
    change({ x: fitted(get("x"), ...shape, 0) });
  } }));
  X.el.append(h("div", { class: "cb-sizes" }, steppers.map((s) => s.el)));
  const pick = (row, col) => ui.set({ row, col });
  const Y = matrix({ symbol: "Y", label: "Pooled Y", onpick: pick });
  const P = matrix({ symbol: "positions", label: "Positions", onpick: pick });
  const Z = matrix({ symbol: "Z", label: "Numbers Z that are put back", onpick: pick, onedit: (r, c, value) => {
    const next = structuredClone(numbers());
    next[r][c] = value;
    ui.set({ same: false, z: next });
  } });
  const U = matrix({ symbol: "U", label: "Unpooled U" });
  const R = matrix({ symbol: "R", label: "Repeated R" });
  for (const [m, text] of [[Y, "the maxima"], [P, "where they were"], [Z, "from the decoder"], [U, "put back"], [R, "without positions"]])
    m.caption.append(h("span", { class: "cb-unpool-name" }, text));

  const steps = player({
    count: () => (fits() ? outputShape()[0] * outputShape()[1] : 0),
    position: () => { const [row, col] = picked(); return row * outputShape()[1] + col; },
    go: (k) => { const [, ow] = outputShape(); ui.set({ row: Math.floor(k / ow), col: k % ow }); },
  });
  ui.tools.append(...steps.els);
  const message = h("div", { class: "cb-message", role: "status" });
  const to = after("→", Y.el, P.el);
  const back = h("div", { class: "cb-stage" }, Z.el, after("→", U.el), after("or", R.el));
  const stage = h("div", { class: "cb-stage cb-unpool" }, X.el, to);
  const sum = live("cb-sum");
  const remark = h("div", { class: "cb-remark" });
  const bytes = h("div", { class: "cb-formula" });
  ui.add(h("div", { class: "cb-controls" }, preset.el, size.el, stride.el, same.el), message, stage, back, sum, remark, bytes);
  back.classList.add("cb-unpool");
  const hold = ui.hold(stage, back, sum, remark, bytes);

  function outputShape(s = {}) {
    const [x, K, S] = ["x", "kernel_size", "stride"].map((key) => s[key] ?? get(key));
    return shapeOf(x).map((n) => outputSize(n, K, S));
  }
  const fits = () => outputShape().every((n) => n > 0);
  const pooled = () => pool2d(get("x"), get("kernel_size"), get("stride"), "max");
  /** What is put back. */
  const numbers = () => (get("same") && fits() ? pooled() : fits() ? fitted(get("z"), ...outputShape()) : get("z"));
  /** New values, and Z in the shape that Y has with them. */
  function change(values) {
    const shape = outputShape(values);
    ui.set({ ...values, ...(shape.every((n) => n > 0) ? { z: fitted(get("z"), ...shape) } : {}) });
  }
  function picked() {
    const [oh, ow] = outputShape();
    return [clamp(get("row"), 0, Math.max(0, oh - 1)), clamp(get("col"), 0, Math.max(0, ow - 1))];
  }

  function draw() {
    const [x, K, S] = ["x", "kernel_size", "stride"].map(get);
    const [hx, wx] = shapeOf(x);
    const [oh, ow] = outputShape();
    const [row, col] = picked();
    const possible = fits();
    preset.show();
    size.show(K);
    stride.show(S);
    same.show(get("same"));
    steppers.forEach((s, axis) => s.show([hx, wx][axis]));
    const seen = reached(hx, wx, K, K, S);
    const cells = possible ? windowCells(row, col, K, K, S) : [];
    const inside = new Set(cells.map((k) => `${k.r},${k.c}`));
    const bests = possible ? build(oh, ow, (r, c) => firstLargest(x, windowCells(r, c, K, K, S))) : [];
    const best = possible ? bests[row][col] : null;
    const isBest = (r, c) => best?.r === r && best.c === c;
    const places = new Set(bests.flat().map((k) => `${k.r},${k.c}`));
    X.show(x, {
      mark: (r, c) => [!seen[r][c] && "unreached", inside.has(`${r},${c}`) && "window", isBest(r, c) && "best"].filter(Boolean).join(" "),
      note: (r, c) => (places.has(`${r},${c}`) ? "●" : ""),
    });
    for (const part of [to, back, sum, bytes]) part.hidden = !possible;
    message.textContent = possible ? "" : `A window of ${times(K, K)} does not fit into an input of ${times(hx, wx)}. Take a smaller window, or a larger input.`;
    if (possible) {
      const mark = (r, c) => (r === row && c === col ? "picked" : "");
      const z = numbers();
      const u = build(hx, wx, () => 0);
      bests.forEach((line, r) => line.forEach((k, c) => { u[k.r][k.c] = z[r][c]; }));
      const scale = Math.max(1e-12, ...x.flat().map(Math.abs), ...z.flat().map(Math.abs));
      Y.show(pooled(), { mark, scale });
      P.show(bests.map((line) => line.map((k) => k.r * wx + k.c)), { mark, scale: 1e9 });
      Z.show(z, { mark, scale });
      U.show(u, {
        scale, mark: (r, c) => [!seen[r][c] && "unreached", isBest(r, c) && "best"].filter(Boolean).join(" "),
        note: (r, c) => (places.has(`${r},${c}`) ? "●" : ""),
      });
      R.show(build(K * oh, K * ow, (r, c) => z[Math.floor(r / K)][Math.floor(c / K)]), {
        scale, mark: (r, c) => (Math.floor(r / K) === row && Math.floor(c / K) === col ? "window" : ""),
      });
      R.el.parentElement.hidden = S !== K; // it would have another size
      sum.replaceChildren(...sentences(z, u));
      bytes.replaceChildren(...counted());
    }
    remark.textContent = possible ? remarks() : "";
    hold();

    function sentences(z, u) {
      const value = x[best.r][best.c];
      return [
        h("span", {}, ...symbol("y", row, col), " ="),
        h("span", {}, ...symbol("x", best.r, best.c), ` = ${fmt(value)}, at position ${best.r} · ${wx} + ${best.c} = `, h("b", {}, best.r * wx + best.c)),
        h("span", {}, ...symbol("u", best.r, best.c), " ="),
        h("span", {}, ...symbol("z", row, col), ` = ${fmt(z[row][col])}`, u[best.r][best.c] === z[row][col] ? "" : ", until a later window puts its own number there: ",
          u[best.r][best.c] === z[row][col] ? "" : fmt(u[best.r][best.c])),
      ];
    }
    function remarks() {
      const ties = cells.filter((k) => x[k.r][k.c] === x[best.r][best.c]).length;
      const lost = oh * ow - places.size;
      return [
        ties > 1 ? `A tie: the largest number stands in this window ${ties} times; the position is that of the first.` : "",
        lost ? `${lost + places.size} numbers go to ${places.size} place${places.size > 1 ? "s" : ""}: where windows share their maximum, the last one's number stays.` : "",
      ].filter(Boolean).join(" ");
    }
    /** What a decoder is handed, in bytes. */
    function counted() {
      const bits = Math.ceil(Math.log2(K * K));
      const bytesOf = Math.ceil(oh * ow * bits / 8);
      return [h("div", {}, `Handed on with the map X itself, as in a U-Net: ${hx} · ${wx} numbers of 4 bytes, ${hx * wx * 4} bytes; with Y, as in an FCN: ${oh} · ${ow} of them, ${oh * ow * 4} bytes. `
        + `With the positions, as in SegNet: ${oh} · ${ow} of them; each is one of ${K * K} places in its window, `
        + (bits ? `${bits} bits, together ` : "which says nothing, together "), h("b", { "data-bytes": bytesOf }, bytesOf), bytesOf === 1 ? " byte." : " bytes.")];
    }
  }

  return ui.start({ stop: steps.stop });
}

export default { render };
