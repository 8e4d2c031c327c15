// Sliders, choices and buttons.
import { button, h } from "./elements.js";
import { fmt } from "./text.js";
import "./controls.css";

/** A slider with its name and value, printed by `text`: {el, show(value, {min, max})}. */
export function slider({ label, min, max, step = 1, oninput, text = fmt }) {
  const input = h("input", { type: "range", min, max, step, oninput: () => oninput(Number(input.value)) });
  const value = h("output", { class: "cb-value" });
  return {
    el: h("label", { class: "cb-control" }, h("span", { class: "cb-name" }, label), input, value),
    input,
    show(v, limits = {}) {
      for (const [name, limit] of Object.entries(limits)) input[name] = limit;
      input.value = v;
      value.textContent = text(v);
      if (text !== fmt) input.setAttribute("aria-valuetext", text(v));
    },
  };
}

/** A choice among named options: {el, show(value)}. */
export function choice({ label, options, onchange }) {
  const select = h("select", { onchange: () => onchange(select.value) },
    Object.entries(options).map(([value, text]) => h("option", { value }, text)));
  return {
    el: h("label", { class: "cb-control" }, h("span", { class: "cb-name" }, label), select),
    show(value) { select.value = value; },
  };
}

/**
 * A choice among examples, `options[key] = [text, values]`: {el, show()}. Choosing one sets its
 * values and those of `start`; where all values of an example are there, however they came, it is
 * the one that is named.
 */
export function examples({ label = "Example", options, start = {}, get, set }) {
  const texts = Object.entries(options).map(([key, [text]]) => [key, text]);
  const picker = choice({
    label, options: { own: "your own numbers", ...Object.fromEntries(texts) },
    onchange: (key) => { if (options[key]) set(structuredClone({ ...options[key][1], ...start })); },
  });
  const isThere = ([, [, values]]) => Object.entries(values).every(([key, value]) => JSON.stringify(get(key)) === JSON.stringify(value));
  return { el: picker.el, show: () => picker.show(Object.entries(options).find(isThere)?.[0] ?? "own") };
}

/** Buttons of which one is pressed, `options[value] = [text, what it does]`: {el, show(value)}. */
export function buttons({ label, name, options, onchange }) {
  const all = Object.entries(options).map(([value, [text, title]]) =>
    button(text, title, () => onchange(value), { "data-choice": value }));
  return {
    el: h("div", { class: "cb-control", role: "group", "aria-label": label }, name && h("span", { class: "cb-name" }, name), all),
    show(value) { for (const b of all) b.setAttribute("aria-pressed", b.dataset.choice === value); },
  };
}

/** A box to tick: {el, show(value)}. */
export function checkbox({ text, onchange, ...attributes }) {
  const box = h("input", { type: "checkbox", onchange: () => onchange(box.checked), ...attributes });
  return { el: h("label", { class: "cb-check" }, box, text), show(value) { box.checked = value; } };
}

/** − value + : for sizes. {el, show(value)}. */
export function stepper({ label, min, max, onchange }) {
  const value = h("output", { class: "cb-value" });
  let now = min;
  const less = button("−", `${label}: one less`, () => onchange(now - 1));
  const more = button("+", `${label}: one more`, () => onchange(now + 1));
  return {
    el: h("span", { class: "cb-stepper", role: "group", "aria-label": label }, h("span", { class: "cb-name" }, label), less, value, more),
    show(v) {
      now = v;
      value.textContent = v;
      less.disabled = v <= min;
      more.disabled = v >= max;
    },
  };
}

/**
 * Step back, play/pause and step forward through `count()` positions: {els, stop}. Playing goes
 * round and round, or without `loop` stops at the end.
 */
export function player({ count, position, go, delay = 900, loop = true }) {
  let timer = null;
  const move = (by) => { const n = count(); if (n) go((position() + by + n) % n); };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ Play";
    play.setAttribute("aria-pressed", "false");
  };
  const back = button("‹", "One step back", () => { stop(); move(-1); });
  const play = button("▶ Play", "Play all steps, one after the other", () => {
    if (timer) return stop();
    play.textContent = "❚❚ Pause";
    play.setAttribute("aria-pressed", "true");
    move(1);
    timer = setInterval(() => (play.isConnected && (loop || position() < count() - 1) ? move(1) : stop()), delay);
  }, { "aria-pressed": "false" });
  const next = button("›", "One step forward", () => { stop(); move(1); });
  play.classList.add("cb-play");
  return { els: [back, play, next], stop };
}
