// The frame that all figures have, and what keeps the page still around them.
import { button, h } from "./elements.js";
import "./frame.css";

/**
 * The common frame of an explorer: title, play or other buttons, reset, then the parts given to `add`.
 * `keys` are the model's values that the explorer shows; reset puts them back to what they were at the start.
 * `draw` is called once, and once more after every change, however many values changed together.
 * `onreset` is what Reset does instead, if given.
 */
export function frame({ model, el, title, keys, draw, onreset }) {
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
    queueMicrotask(() => { pending = false; draw(); });
  };
  for (const key of keys) model.on(`change:${key}`, schedule);
  const reset = button("Reset", "Back to the start", onreset ?? (() => set(structuredClone(initial))));
  el.classList.add("convbook-widget");
  el.replaceChildren(root);
  return {
    set,
    tools,
    add: (...parts) => root.append(...parts),
    /**
     * Call when all parts are in place: shows the first state; returns the clean-up function for anywidget. `watch` is an
     * element whose changes of size call `resized`; `stop` is called in the end, too.
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
 * Keeps an element from shrinking, so that what stands below it on the page does not jump about.
 * Call the function that it returns after each change; another `key` than last time lets the element shrink.
 */
export function holdHeight(element) {
  let tallest = 0;
  let width = 0;
  let last;
  return (key) => {
    if (element.clientWidth !== width || key !== last) {
      [tallest, width, last] = [0, element.clientWidth, key];
      element.style.minHeight = "";
    }
    tallest = Math.max(tallest, element.scrollHeight);
    element.style.minHeight = `${tallest}px`;
  };
}
