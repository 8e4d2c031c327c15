// A box for what is too wide.
import { h } from "./elements.js";
import "./scroller.css";

/**
 * A box that scrolls by itself when its content is too wide; only then the keyboard can reach it,
 * to scroll it.
 */
export function scroller(label, ...content) {
  const el = h("div", { class: "cb-scroller" }, content);
  return {
    el,
    /** Call after a change: brings `part` into view without moving the page. */
    settle(part) {
      const scrolls = el.scrollWidth > el.clientWidth || el.scrollHeight > el.clientHeight;
      for (const [name, value] of Object.entries({ tabindex: "0", role: "region", "aria-label": label })) {
        if (scrolls) el.setAttribute(name, value);
        else el.removeAttribute(name);
      }
      if (!part) return;
      const [box, inner] = [el.getBoundingClientRect(), part.getBoundingClientRect()];
      el.scrollLeft += Math.min(0, inner.left - box.left - 4) + Math.max(0, inner.right - box.right + 4);
      el.scrollTop += Math.min(0, inner.top - box.top - 4) + Math.max(0, inner.bottom - box.bottom + 4);
    },
  };
}
