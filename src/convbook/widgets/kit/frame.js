// The frame that all figures have, and what keeps the page still around them.
import { button, h } from "./elements.js";
import "./frame.css";

/**
 * The common frame of an explorer: title, play or other buttons, reset, then the parts given to
 * `add`. `keys` are the model's values that the explorer shows; reset puts them back to what they
 * were at the start. `draw` is called once, and once more after every change, however many values
 * changed together. `walks` are those of the keys that lead through a figure without making another
 * one of it; see `hold`. `onreset` is what Reset does instead, if given.
 */
export function frame({ model, el, title, keys, draw, walks = [], onreset }) {
  const initial = Object.fromEntries(keys.map((key) => [key, structuredClone(model.get(key))]));
  const tools = h("div", { class: "cb-tools" });
  const root = h("section", { class: "cb", role: "group", "aria-label": title },
    h("div", { class: "cb-head" }, h("span", { class: "cb-title" }, title), tools));
  const set = (values) => {
    for (const [key, value] of Object.entries(values)) model.set(key, value);
    model.save_changes();
  };
  let pending = false;
  const schedule = () => {
    if (pending) return;
    pending = true;
    queueMicrotask(catchUp);
  };
  const catchUp = () => {
    if (!pending) return;
    pending = false;
    draw();
  };
  // What a reader does to a cell is about the cells as they will be drawn: they are, before it
  // counts.
  for (const type of ["input", "click", "keydown", "pointerdown"]) {
    root.addEventListener(type, ({ target }) => {
      if (!pending || !target.closest("td")) return;
      const { value } = target;
      catchUp();
      if (type === "input") target.value = value;
    }, true);
  }
  for (const key of keys) model.on(`change:${key}`, schedule);
  let beginnings = 0;
  const begin = (values) => {
    beginnings += 1;
    set(values);
  };
  const reset = button("Reset", "Back to the start", onreset ?? (() => begin(structuredClone(initial))));
  el.classList.add("convbook-widget");
  el.replaceChildren(root);
  return {
    set,
    /** Sets values with which the figure begins anew: it may be smaller than before. */
    begin,
    tools,
    /**
     * Keeps elements from shrinking while the reader walks through the figure, or types other
     * numbers into it. Call the function that it returns after each change; with other settings, or
     * other sizes, the elements may shrink.
     */
    hold(...elements) {
      const fit = holdHeight(...elements);
      const settings = keys.filter((key) => !walks.includes(key));
      return () => {
        fit(JSON.stringify([beginnings, ...settings.map((name) => sizeOf(model.get(name)))]));
      };
    },
    add: (...parts) => root.append(...parts),
    /**
     * Call when all parts are in place: shows the first state; returns the clean-up function for
     * anywidget. `watch` is an element whose changes of size call `resized`; `stop` is called in
     * the end, too.
     */
    start({ watch, resized = draw, stop } = {}) {
      tools.append(reset);
      draw();
      const observer = watch && new ResizeObserver(resized);
      observer?.observe(watch);
      return () => {
        observer?.disconnect();
        stop?.();
        for (const key of keys) model.off(`change:${key}`, schedule);
      };
    },
  };
}

/**
 * What of a value makes a figure larger or smaller: the lengths of an array's axes, and any other
 * value itself.
 */
const sizeOf = (value) => (Array.isArray(value) ? [value.length, Array.isArray(value[0]) && sizeOf(value[0])] : value);

/**
 * Keeps elements from shrinking, so that what stands below them on the page does not jump about.
 * Call the function that it returns after each change; another `key` than last time lets the
 * elements shrink.
 */
export function holdHeight(...elements) {
  let widths = [];
  let tallest = elements.map(() => 0);
  let last;
  for (const { style } of elements) style.boxSizing = "border-box"; // what is measured is what is set
  // All are measured before any is set: what is measured after that needs the page laid out anew.
  return (key) => {
    const now = elements.map((element) => element.clientWidth);
    elements.forEach(({ style }, i) => {
      if (now[i] === widths[i] && key === last) return;
      tallest[i] = 0;
      style.minHeight = "";
    });
    [widths, last] = [now, key];
    tallest = elements.map((element, i) => Math.max(tallest[i], element.getBoundingClientRect().height));
    elements.forEach(({ style }, i) => { style.minHeight = `${tallest[i]}px`; });
  };
}
