// AnomalyExplorer: a threshold between what a network knows and what it has never seen.
import { clamp } from "./kit/arithmetic.js";
import { buttons, checkbox, slider } from "./kit/controls.js";
import { h, live, svg } from "./kit/elements.js";
import { frame } from "./kit/frame.js";
import { unpack } from "./kit/packed.js";
import { arrow, onDrag } from "./kit/pointing.js";
import "./anomaly.css";

const KEYS = ["digit", "relative", "limit"];
const BINS = 40;
const [WIDE, HIGH] = [320, 66]; // of a histogram
const SIDE = 150; // of the ROC curve

/** The value below which a share of the sorted values lies, between neighbours if need be. */
function quantile(sorted, share) {
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

/** The share of pairs in which the strange one is higher, ties counted half. */
function area(known, strange) {
  let sum = 0;
  for (const s of strange) {
    let [below, upTo] = [0, 0];
    for (const k of known) {
      below += k < s;
      upTo += k <= s;
    }
    sum += (below + upTo) / 2;
  }
  return sum / (known.length * strange.length);
}

function render({ model, el }) {
  const ui = frame({ model, el, title: "How strange is too strange? Set the threshold", keys: KEYS, draw });
  const get = (key) => model.get(key);
  const { labels, ...data } = get("data");
  const [errors, ink] = [unpack(data.errors), unpack(data.ink)];
  const networks = errors.shape[0];
  const scoresOf = (digit, relative) => Array.from(errors.part(digit), (e, i) => (relative ? e / ink.part(i)[0] : e));
  const sorted = (values) => values.slice().sort((a, b) => a - b);
  const split = (digit, relative) => {
    const scores = scoresOf(digit, relative);
    return [false, true].map((isStrange) => sorted(scores.filter((_, i) => (labels[i] === digit) === isStrange)));
  };
  /** Another network or score begins with a threshold of 5 % false alarms. */
  const begin = (values) => {
    const now = { digit: get("digit"), relative: get("relative"), ...values };
    const [known] = split(now.digit, now.relative);
    ui.set({ ...values, limit: Number(quantile(known, 0.95).toFixed(4)) });
  };

  const digit = buttons({
    label: "Digit left out", name: "left out:", onchange: (v) => begin({ digit: Number(v) }),
    options: Object.fromEntries(Array.from({ length: networks }, (_, k) => [k, [String(k), `Trained without any ${k}`]])),
  });
  const relative = checkbox({ text: "divide the error by the ink", onchange: (on) => begin({ relative: on }) });
  const limit = slider({ label: "threshold", min: 0, max: 1, step: 0.0001, text: (v) => v.toFixed(4), oninput: (v) => ui.set({ limit: v }) });

  const bars = ["known", "strange"].map((name) => Array.from({ length: BINS }, () => svg("rect", { class: `cb-${name}bar` })));
  const line = svg("path", { class: "cb-threshold" });
  const end = svg("text", { x: WIDE, y: 2 * HIGH + 30, "text-anchor": "end" });
  const chart = svg("svg", { viewBox: `-2 -2 ${WIDE + 4} ${2 * HIGH + 36}`, class: "cb-anomalies", role: "img" },
    bars, svg("path", { class: "cb-baseline", d: `M0 ${HIGH + 7}H${WIDE}` }), line,
    svg("text", { x: WIDE, y: 10, "text-anchor": "end" }, "known digits"),
    svg("text", { x: WIDE, y: 2 * HIGH + 12, "text-anchor": "end" }, "the digit left out"),
    svg("text", { x: 0, y: 2 * HIGH + 30 }, "0"), end);
  const curve = svg("path", { class: "cb-roc" });
  const now = svg("circle", { class: "cb-rocpoint", r: 5 });
  const roc = svg("svg", { viewBox: `-26 -6 ${SIDE + 34} ${SIDE + 34}`, class: "cb-rocplot", role: "img" },
    svg("path", { class: "cb-baseline", d: `M0 0V${SIDE}H${SIDE}V0Z` }),
    svg("path", { class: "cb-chanceline", d: `M0 ${SIDE}L${SIDE} 0` }), curve, now,
    svg("text", { x: SIDE / 2, y: SIDE + 20, "text-anchor": "middle" }, "false alarms"),
    svg("text", { x: -SIDE / 2, y: -10, "text-anchor": "middle", transform: "rotate(-90)" }, "found"));
  const histogram = h("div", {
    class: "cb-draghistogram", tabindex: "0", role: "application", "data-lm-suppress-shortcuts": "true",
    "aria-label": "Two histograms. The left and right arrow keys move the threshold.", onkeydown: typed,
  }, chart);
  onDrag(histogram, (event) => {
    const box = histogram.getBoundingClientRect();
    set((event.clientX - box.left) / box.width * (WIDE + 4) - 2, WIDE);
  });
  function typed(event) {
    const move = arrow(event);
    if (move) set(get("limit") / most() * 100 + move[1], 100);
  }
  const set = (at, of) => ui.set({ limit: Number((clamp(at / of, 0, 1) * most()).toFixed(4)) });
  const verdict = live("cb-shares");
  const under = h("div", { class: "cb-area" });
  ui.add(
    h("div", { class: "cb-controls" }, digit.el),
    h("div", { class: "cb-anomalystage" },
      h("div", {}, histogram, h("div", { class: "cb-limitrow" }, limit.el), relative.el),
      h("div", {}, roc)),
    verdict, under);

  const most = () => {
    const [known, strange] = split(get("digit"), get("relative"));
    return Math.max(quantile(known, 0.998), quantile(strange, 0.99)) * 1.05;
  };

  function draw() {
    const [k, isRelative, threshold] = KEYS.map(get);
    const groups = split(k, isRelative);
    const [known, strange] = groups;
    const largest = most();
    digit.show(String(k));
    relative.show(isRelative);
    limit.show(threshold, { max: largest.toFixed(4) });
    end.textContent = `${isRelative ? "error ÷ ink" : "error"} ${largest.toPrecision(2)}`;

    groups.forEach((values, g) => {
      const counts = Array(BINS).fill(0);
      for (const v of values) counts[clamp(Math.floor(v / largest * BINS), 0, BINS - 1)] += 1;
      const tallest = Math.max(...counts);
      counts.forEach((n, i) => {
        const height = HIGH * n / tallest;
        const shape = { x: i * WIDE / BINS + 0.5, y: g ? HIGH + 8 : HIGH + 6 - height, width: WIDE / BINS - 1, height };
        for (const [name, value] of Object.entries(shape)) bars[g][i].setAttribute(name, value);
        bars[g][i].classList.toggle("above", (i + 0.5) / BINS * largest > threshold);
      });
    });
    line.setAttribute("d", `M${clamp(threshold / largest, 0, 1) * WIDE} 0V${2 * HIGH + 14}`);

    const above = (values) => values.filter((v) => v > threshold).length;
    const [alarms, found] = groups.map(above);
    const at = ([x, y]) => `${(x / known.length * SIDE).toFixed(2)} ${(SIDE - y / strange.length * SIDE).toFixed(2)}`;
    // From the highest score down, each image is one step up or to the right.
    const steps = [...known.map((v) => [v, 0]), ...strange.map((v) => [v, 1])].sort((a, b) => b[0] - a[0]);
    const points = [[0, 0]];
    for (const [, isStrange] of steps) points.push([points.at(-1)[0] + 1 - isStrange, points.at(-1)[1] + isStrange]);
    curve.setAttribute("d", `M${points.map(at).join("L")}`);
    const [cx, cy] = at([alarms, found]).split(" ");
    now.setAttribute("cx", cx);
    now.setAttribute("cy", cy);

    const share = (n, of) => `${n} of ${of} (${Math.round(100 * n / of)} %)`;
    const measured = area(known, strange);
    verdict.replaceChildren("above the threshold: ",
      h("b", { class: "cb-found", "data-value": found / strange.length }, share(found, strange.length)), ` of the ${k}s that the network has never seen, and `,
      h("b", { class: "cb-alarms-of-all", "data-value": alarms / known.length }, share(alarms, known.length)), " of the digits that it knows: false alarms.");
    under.replaceChildren("area under the curve, whatever the threshold: AUROC ", h("b", { class: "cb-auroc", "data-value": measured }, measured.toFixed(3)));
    chart.setAttribute("aria-label", `Histograms of the ${isRelative ? "errors divided by the ink" : "errors"}, with the threshold at ${threshold.toFixed(4)}`);
    roc.setAttribute("aria-label", `ROC curve: found over false alarms; area ${measured.toFixed(3)}`);
  }

  return ui.start();
}

export default { render };
