// GradientCheckFigure: the error of a numerical derivative over its step; first truncation rules,
// then rounding.
import { clamp } from "./kit/arithmetic.js";
import { buttons, choice, player, slider } from "./kit/controls.js";
import { h, live, svg } from "./kit/elements.js";
import { frame } from "./kit/frame.js";
import { keyOf, keyOfGuide, point } from "./kit/plot.js";
import { onDrag } from "./kit/pointing.js";

const KEYS = ["function", "precision", "step"];

// The step: 1, 0.5, 0.2, 0.1, … 1e-16, as in Python: each is written with one digit.
const STEPS = [1, ...Array.from({ length: 16 }, (_, k) => [5, 2, 1].map((digit) => Number(`${digit}e-${k + 1}`))).flat()];

// Each function rounds (`r`) after every operation. `slopes`: its first three derivatives at `x`.
const logistic = 1 / (1 + Math.exp(-0.5));
const FUNCTIONS = {
  cube: { text: "x³", x: 1.5, f: (x, r) => r(r(x * x) * x), slopes: [3 * 1.5 ** 2, 9, 6] },
  sin: { text: "sin x", x: 1, f: (x, r) => r(Math.sin(x)), slopes: [Math.cos(1), -Math.sin(1), -Math.cos(1)] },
  exp: { text: "eˣ", x: 1, f: (x, r) => r(Math.exp(x)), slopes: [Math.exp(1), Math.exp(1), Math.exp(1)] },
  softplus: {
    text: "log(1 + eˣ)", x: 0.5, f: (x, r) => r(Math.log1p(r(Math.exp(x)))),
    slopes: [logistic, logistic * (1 - logistic), logistic * (1 - logistic) * (1 - 2 * logistic)],
  },
};
const PRECISIONS = {
  float64: { round: (v) => v, digits: 17, epsilon: 2 ** -53 },
  float32: { round: Math.fround, digits: 9, epsilon: 2 ** -24 },
};

// The plot: powers of ten on both axes.
const LEFT = 44, RIGHT = 12, TOP = 10, BOTTOM = 40;
const LOW = -17, HIGH = 1; // of the error
const FIRST = -16; // of the step; the last is 0

/** All that is computed for one step, with every operation rounded to the precision. */
function evaluate({ f, x, slopes }, { round: r }, step) {
  const small = r(step);
  const [above, below] = [r(x + small), r(x - small)];
  const [up, here, down] = [f(above, r), f(x, r), f(below, r)];
  const forward = r(r(up - here) / small);
  const central = r(r(up - down) / r(2 * small));
  const error = (quotient) => Math.abs(quotient - slopes[0]) / Math.abs(slopes[0]);
  const errors = { forward: error(forward), central: error(central) };
  return { step, above, up, here, down, forward, central, errors };
}

/** What theory expects of the relative error: the formula's own part, and the part of rounding. */
function expected({ f, x, slopes: [one, two, three] }, { epsilon }, step) {
  const value = f(x, (v) => v);
  return {
    forward: Math.abs(two / one) * step / 2,
    central: Math.abs(three / one) * step ** 2 / 6,
    rounding: (Math.abs(value / one) + Math.abs(x)) * epsilon / step, // of f, and of x + step
  };
}

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const power = (k) => `10${k < 0 ? "⁻" : ""}${[...String(Math.abs(k))].map((d) => RAISED[d]).join("")}`;
/** A small number with so many digits: 6.7·10⁻⁴. */
function scientific(v, digits = 2) {
  if (v === 0) return "0";
  const [mantissa, exponent] = v.toExponential(digits - 1).split("e").map(Number);
  return exponent === 0 ? String(mantissa) : `${mantissa === 1 ? "" : `${mantissa}·`}${power(exponent)}`;
}
const signed = (text) => text.replace("-", "−");

function render({ model, el }) {
  const ui = frame({ model, el, title: "Numerical derivative: how small should δ be?", keys: KEYS, draw, walks: ["step"] });
  const get = (key) => model.get(key);

  const func = choice({
    label: "f(x)",
    options: Object.fromEntries(Object.entries(FUNCTIONS).map(([key, { text, x }]) => [key, `${text} at x = ${x}`])),
    onchange: (key) => ui.set({ function: key }),
  });
  const precision = buttons({
    label: "Precision", name: "computed in",
    options: Object.fromEntries(Object.keys(PRECISIONS).map((key) => [key, [key, `Compute in ${key}`]])),
    onchange: (value) => ui.set({ precision: value }),
  });
  // To the right the step grows, as on the axis of the plot.
  const step = slider({
    label: "δ", min: 0, max: STEPS.length - 1, text: () => scientific(get("step"), 3),
    oninput: (v) => ui.set({ step: STEPS[STEPS.length - 1 - v] }),
  });
  step.input.setAttribute("aria-label", "step δ");
  step.el.classList.add("cb-wide");
  const nearest = () => STEPS.reduce((best, s, k) =>
    (Math.abs(Math.log(s / get("step"))) < Math.abs(Math.log(STEPS[best] / get("step"))) ? k : best), 0);

  const steps = player({
    count: () => STEPS.length, position: nearest, go: (k) => ui.set({ step: STEPS[k] }), delay: 500,
  });
  ui.tools.append(...steps.els);
  const picture = svg("svg", { role: "img", class: "cb-plot" });
  const plot = h("div", { class: "cb-plotbox" }, picture);
  const said = live("cb-remark");
  const numbers = h("div", { class: "cb-numbers" });
  const remark = h("div", { class: "cb-formula" });
  const legend = h("div", { class: "cb-legend" });
  ui.add(h("div", { class: "cb-controls" }, func.el, precision.el, step.el), plot, legend, said, numbers, remark);
  const hold = ui.hold(said, numbers, remark);

  const size = () => ({ width: Math.max(280, plot.clientWidth || 640), height: plot.clientWidth < 480 ? 260 : 330 });
  const across = (value) => LEFT + (Math.log10(value) - FIRST) / -FIRST * (size().width - LEFT - RIGHT);
  const down = (value) => {
    const log = clamp(value > 0 ? Math.log10(value) : LOW, LOW, HIGH); // an error of 0 stands on the lower edge
    return TOP + (HIGH - log) / (HIGH - LOW) * (size().height - TOP - BOTTOM);
  };
  const follow = (event) => {
    const at = (event.clientX - picture.getBoundingClientRect().left - LEFT) / (size().width - LEFT - RIGHT);
    const k = clamp(Math.round((1 - at) * (STEPS.length - 1)), 0, STEPS.length - 1);
    ui.set({ step: STEPS[k] });
  };
  onDrag(picture, follow);

  function draw() {
    const f = FUNCTIONS[get("function")];
    const type = PRECISIONS[get("precision")];
    const step0 = get("step");
    func.show(get("function"));
    precision.show(get("precision"));
    step.show(STEPS.length - 1 - nearest());
    const curve = STEPS.map((s) => evaluate(f, type, s));
    const now = evaluate(f, type, step0);
    const theory = expected(f, type, step0);
    const least = (name) => curve.reduce((best, p) => (p.errors[name] < best.errors[name] ? p : best));
    drawPlot();
    said.textContent = `δ = ${scientific(step0, 3)}: relative error ${scientific(now.errors.forward)} with the forward `
      + `difference, ${scientific(now.errors.central)} with the central one.`;
    numbers.replaceChildren(...rows());
    remark.replaceChildren(...remarks());
    legend.replaceChildren(
      keyOf("forward", "forward difference"), keyOf("central", "central difference"),
      keyOfGuide("what theory expects"),
    );
    hold();

    function drawPlot() {
      const { width, height } = size();
      const [right, bottom] = [width - RIGHT, height - BOTTOM];
      const every = width < 480 ? 4 : 2;
      const grid = [];
      for (let k = FIRST; k <= 0; k += every) {
        const x = across(10 ** k);
        grid.push(svg("path", { class: "cb-grid", d: `M${x} ${TOP}V${bottom}` }),
          svg("text", { x, y: bottom + 16, "text-anchor": "middle" }, power(k)));
      }
      for (let k = -16; k <= 0; k += every) {
        const y = down(10 ** k);
        grid.push(svg("path", { class: "cb-grid", d: `M${LEFT} ${y}H${right}` }),
          svg("text", { x: LEFT - 5, y: y + 4, "text-anchor": "end" }, power(k)));
      }
      grid.push(svg("text", { x: (LEFT + right) / 2, y: height - 6, "text-anchor": "middle" }, "step δ"));
      // The three straight lines of theory, from edge to edge of the plot.
      const guides = ["forward", "central", "rounding"].map((name) => {
        const e = (s) => expected(f, type, s)[name];
        const inside = STEPS.filter((s) => e(s) > 10 ** LOW && e(s) < 10 ** HIGH);
        const [a, b] = [inside[0], inside.at(-1)];
        return svg("path", { class: "cb-guide", d: `M${across(a)} ${down(e(a))}L${across(b)} ${down(e(b))}` });
      });
      const lines = ["forward", "central"].map((name) => [
        svg("path", { class: `cb-curve ${name}`, d: `M${curve.map((p) => `${across(p.step)} ${down(p.errors[name])}`).join("L")}` }),
        curve.map((p) => point(name, across(p.step), down(p.errors[name]), 1.6, { "data-step": p.step, "data-value": p.errors[name] })),
      ]);
      picture.setAttribute("width", width);
      picture.setAttribute("height", height);
      picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
      picture.setAttribute("aria-label", description());
      picture.replaceChildren(...grid, ...guides,
        svg("path", { class: "cb-now", d: `M${across(step0)} ${TOP}V${bottom}` }), ...lines.flat(2),
        // The circle is the larger one: it shows behind the square where both errors are equal.
        point("forward", across(step0), down(now.errors.forward), 7, { "data-now": "forward" }),
        point("central", across(step0), down(now.errors.central), 4.5, { "data-now": "central" }),
        ...labels());
    }
    /** The slopes, written beside the lines where they can be seen. */
    function labels() {
      const at = (s) => expected(f, type, s);
      // Where a formula's own error and that of rounding are equal; its label stands halfway
      // between there and 1.
      const gap = (name, s) => Math.abs(Math.log(at(s)[name] / at(s).rounding));
      const cross = (name) => STEPS.reduce((best, s) => (gap(name, s) < gap(name, best) ? s : best));
      const label = (name, s, text, dx, dy) => svg("text", {
        class: "cb-slope", x: Math.min(across(s) + dx, size().width - RIGHT - 26), y: down(at(s)[name]) + dy,
      }, text);
      return [
        label("forward", Math.sqrt(cross("forward")), "∝ δ", -30, -6),
        label("central", Math.sqrt(cross("central")), "∝ δ²", 10, 10),
        label("rounding", 0.1, "∝ 1/δ", -34, 16),
      ];
    }
    function description() {
      const best = (name) => { const p = least(name); return `${scientific(p.errors[name])} at δ = ${scientific(p.step)}`; };
      return `Relative error of the numerical derivative of ${f.text} at x = ${f.x} in ${get("precision")}, over the step δ, `
        + `both axes in powers of ten. From δ = 1 down, the error of the forward difference falls in proportion to δ, that of `
        + `the central difference in proportion to δ squared; then rounding takes over and the error grows again in proportion `
        + `to 1 over δ. Smallest errors: forward ${best("forward")}, central ${best("central")}.`;
    }
    function rows() {
      const print = (v) => signed(v.toPrecision(type.digits));
      const same = agreeing(print(now.up), print(now.down));
      const number = (text, pale = 0) => h("span", { class: "cb-digits" },
        pale ? h("span", { class: "cb-pale" }, text.slice(0, pale)) : null, text.slice(pale));
      const row = (name, value, error) => [h("span", {}, name), value,
        h("span", { class: "cb-error" }, error === undefined ? "" : `error ${scientific(error)}`)];
      return [
        row("f(x + δ)", number(print(now.up), same)),
        row("f(x)", number(print(now.here), agreeing(print(now.here), print(now.up)))),
        row("f(x − δ)", number(print(now.down), same)),
        row("(f(x + δ) − f(x)) / δ", number(print(now.forward)), now.errors.forward),
        row("(f(x + δ) − f(x − δ)) / 2δ", number(print(now.central)), now.errors.central),
        row("true derivative", number(signed(f.slopes[0].toPrecision(type.digits)))),
      ].flat();
    }
    function remarks() {
      const lost = now.above === f.x;
      const which = (name) => {
        if (lost) return "δ is so small that x + δ is rounded to x: nothing is left of the difference.";
        const [own, rounding] = [theory[name], theory.rounding];
        return own > rounding
          ? `truncation rules: theory expects ${scientific(own)} from the formula, about ${scientific(rounding)} from rounding.`
          : `rounding rules: theory expects about ${scientific(rounding)} from it, ${scientific(own)} from the formula.`;
      };
      const best = (name) => { const p = least(name); return `${scientific(p.errors[name])} at δ = ${scientific(p.step)}`; };
      return [
        h("div", {}, h("b", {}, "Forward: "), which("forward")),
        h("div", {}, h("b", {}, "Central: "), which("central")),
        h("div", {}, `Smallest errors on the curves: forward ${best("forward")}, central ${best("central")}. `
          + "Pale digits: those in which the values of f agree; they cancel in the difference."),
      ];
    }
  }

  return ui.start({ watch: ui.tools.parentElement, stop: steps.stop });
}

/** How many leading characters two printed numbers share. */
function agreeing(a, b) {
  let k = 0;
  while (k < a.length && a[k] === b[k]) k += 1;
  return k;
}

export default { render };
