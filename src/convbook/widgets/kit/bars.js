// Probabilities as bars.
import { h } from "./elements.js";
import "./bars.css";

/**
 * Probabilities of named classes as bars: {el, show(values, {truth})}; `truth` is the class that
 * gets a tick.
 */
export function bars(label, names) {
  const rows = names.map((name) => {
    const tick = h("span", { class: "cb-tick" });
    const bar = h("span", { class: "cb-level" });
    const value = h("span", { class: "cb-chance-value" });
    const el = h("div", { class: "cb-chance" },
      h("span", { class: "cb-chance-name" }, name), tick, h("span", { class: "cb-rail" }, bar), value);
    return { el, tick, bar, value };
  });
  return {
    el: h("div", { class: "cb-chances", role: "group", "aria-label": label }, rows.map((row) => row.el)),
    show(values, { truth } = {}) {
      const best = values.indexOf(Math.max(...values));
      rows.forEach((row, i) => {
        row.el.className = `cb-chance${i === best ? " best" : ""}${i === truth ? " truth" : ""}`;
        row.el.dataset.value = values[i];
        row.tick.textContent = i === truth ? "✓" : "";
        row.bar.style.width = `${100 * values[i]}%`;
        row.value.textContent = values[i].toFixed(3);
      });
    },
  };
}
