// Curves that grow while something is being trained: a plot of one or two lines over the steps.
import { h, svg } from "./elements.js";
import { keyOfGuide } from "./plot.js";
import { fmt } from "./text.js";
import "./curves.css";

const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [40, 8, 8, 30, 130];

/**
 * A plot of curves over `axis`: {el, show(places, {name: values}, last)}. `names` are what the
 * curves are called; the second has dashes. `guide` is [value, text] of a line that stands still,
 * `limits` what the values are cut off at.
 */
export function curvePlot({ title, axis, names, guide, limits: [least, most] }) {
  const keys = names.map((name, i) => {
    const number = h("b", { class: "cb-curvevalue" });
    const line = svg("svg", { width: 22, height: 12, "aria-hidden": "true" }, svg("path", { class: `cb-curve${i ? " central" : ""}`, d: "M0 6H22" }));
    return { number, el: h("span", { class: "cb-key" }, line, `${name} `, number) };
  });
  const still = guide && keyOfGuide(guide[1]);
  const image = svg("svg", { class: "cb-plot still", role: "img" });
  const el = h("div", { class: "cb-curves" }, h("div", { class: "cb-curvehead" }, title && h("b", {}, title), keys.map((key) => key.el), still), image);
  return {
    el,
    show(places, series) {
      const width = Math.max(200, el.clientWidth || 300);
      const all = [...series.flat(), ...(guide ? [guide[0]] : [])].map((v) => Math.min(most, Math.max(least, v)));
      const [low, high] = [Math.min(...all), Math.max(...all)];
      const tick = tickOf((high - low || 1) / 3);
      const [bottom, top] = [Math.floor(low / tick + 1e-9) * tick, Math.ceil(high / tick - 1e-9) * tick || tick];
      const end = Math.max(1, places.at(-1) ?? 1);
      const across = (place) => LEFT + place / end * (width - LEFT - RIGHT);
      const down = (v) => TOP + (top - Math.min(top, Math.max(bottom, v))) / (top - bottom) * (HEIGHT - TOP - BOTTOM);
      const lines = Array.from({ length: Math.round((top - bottom) / tick) + 1 }, (_, k) => bottom + k * tick).map((v) => [
        svg("path", { class: "cb-grid", d: `M${LEFT} ${down(v)}H${width - RIGHT}` }),
        svg("text", { x: LEFT - 5, y: down(v) + 4, "text-anchor": "end" }, fmt(v)),
      ]);
      const drawn = series.map((values, i) => values.length > 1 && svg("path", {
        class: `cb-curve${i ? " central" : ""}`, d: `M${values.map((v, k) => `${across(places[k]).toFixed(1)} ${down(v).toFixed(1)}`).join("L")}`,
      }));
      image.setAttribute("width", width);
      image.setAttribute("height", HEIGHT);
      image.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      image.setAttribute("aria-label", `${[title, ...names].filter(Boolean).join(", ")} over the ${axis}s; now ${series.map((values) => fmt(values.at(-1) ?? 0)).join(", ")}`);
      image.replaceChildren(...lines.flat(),
        ...(guide ? [svg("path", { class: "cb-guide", d: `M${LEFT} ${down(guide[0])}H${width - RIGHT}` })] : []),
        ...drawn.filter(Boolean),
        svg("text", { x: LEFT, y: HEIGHT - 14, "text-anchor": "middle" }, "0"),
        svg("text", { x: width - RIGHT, y: HEIGHT - 14, "text-anchor": "end" }, String(end)),
        svg("text", { x: (LEFT + width) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, axis));
      keys.forEach(({ number }, i) => { number.textContent = series[i].length ? fmt(series[i].at(-1)) : "–"; });
    },
  };
}

/** The next larger of 1, 2, 5, 10, 20, … */
function tickOf(rough) {
  const unit = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((n) => n * unit >= rough) * unit;
}
