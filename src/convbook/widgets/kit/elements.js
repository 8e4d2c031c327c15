// The elements of a page.
import "./elements.css";

/** What counts as a child of an element: a condition that failed leaves none. */
const isChild = (child) => child !== null && child !== undefined && child !== false;

/**
 * An element: attributes by name, `on…` listeners, `class`, and children (nodes, text, or nested
 * arrays).
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(isChild));
  // After a step back the browser would fill in what stood there, while the figure begins anew.
  if (["input", "select"].includes(tag)) element.setAttribute("autocomplete", "off");
  // JupyterLab swallows arrow keys and letters unless the focused element itself says not to.
  if (["input", "button", "select", "td"].includes(tag)) element.dataset.lmSuppressShortcuts = "true";
  return element;
}

/** An SVG element: attributes by name, and children as for `h`. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter(isChild));
  return element;
}

export const button = (text, label, onclick, extra = {}) =>
  h("button", { type: "button", class: "cb-button", "aria-label": label, title: label, onclick, ...extra }, text);

/** A matrix behind an operator sign, which stay together when the line breaks. */
export const after = (sign, ...parts) =>
  h("div", { class: "cb-after" }, h("span", { class: "cb-operator", "aria-hidden": "true" }, sign), parts);

/** A line of text that screen readers announce when it changes. */
export const live = (cls) => h("div", { class: cls, "aria-live": "polite", "aria-atomic": "true" });
