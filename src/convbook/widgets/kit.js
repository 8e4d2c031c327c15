// What all explorers share: the arithmetic of convolution and pooling, and the drawing of matrices and controls.
// The arithmetic is tested in the browser against convbook.functional.

// ---------------------------------------------------------------- arithmetic

/** Effective length of a filter of `kernel` taps that stand `dilation` cells apart. */
export const extent = (kernel, dilation = 1) => dilation * (kernel - 1) + 1;

/** Length of the output along one axis (0 or less: the filter does not fit). */
export const outputSize = (size, kernel, stride = 1, padding = 0, dilation = 1) =>
  Math.floor((size + 2 * padding - extent(kernel, dilation)) / stride) + 1;

export const shapeOf = (a) => [a.length, a[0].length];

export const build = (rows, cols, value) =>
  Array.from({ length: rows }, (_, r) => Array.from({ length: cols }, (_, c) => value(r, c)));

/** `x` with a ring of `padding` cells of `value` around it. */
export function pad2d(x, padding, value = 0) {
  const [h, w] = shapeOf(x);
  return build(h + 2 * padding, w + 2 * padding, (r, c) => x[r - padding]?.[c - padding] ?? value);
}

/** The cells of the padded input under output cell (row, col): [{r, c, fr, fc}, …] in filter order. */
export function windowCells(row, col, fh, fw, stride = 1, dilation = 1) {
  const cells = [];
  for (let fr = 0; fr < fh; fr++)
    for (let fc = 0; fc < fw; fc++)
      cells.push({ r: row * stride + fr * dilation, c: col * stride + fc * dilation, fr, fc });
  return cells;
}

/** Convolution of two matrices; null when the filter does not fit. */
export function conv2d(x, f, { bias = 0, stride = 1, padding = 0, dilation = 1 } = {}) {
  const padded = pad2d(x, padding);
  const [h, w] = shapeOf(x);
  const [fh, fw] = shapeOf(f);
  const oh = outputSize(h, fh, stride, padding, dilation);
  const ow = outputSize(w, fw, stride, padding, dilation);
  if (oh < 1 || ow < 1) return null;
  return build(oh, ow, (r, c) =>
    windowCells(r, c, fh, fw, stride, dilation).reduce((sum, k) => sum + padded[k.r][k.c] * f[k.fr][k.fc], 0) + bias);
}

/** Max or average pooling of a matrix; null when the window does not fit. */
export function pool2d(x, size, stride, kind) {
  const [h, w] = shapeOf(x);
  const oh = outputSize(h, size, stride);
  const ow = outputSize(w, size, stride);
  if (oh < 1 || ow < 1) return null;
  return build(oh, ow, (r, c) => {
    const values = windowCells(r, c, size, size, stride).map((k) => x[k.r][k.c]);
    return kind === "max" ? Math.max(...values) : values.reduce((a, b) => a + b, 0) / values.length;
  });
}

/** Which cells of an h × w (padded) input are read by some window: a matrix of booleans. */
export function reached(h, w, fh, fw, stride, dilation = 1) {
  const seen = build(h, w, () => false);
  const oh = outputSize(h, fh, stride, 0, dilation);
  const ow = outputSize(w, fw, stride, 0, dilation);
  for (let r = 0; r < oh; r++)
    for (let c = 0; c < ow; c++)
      for (const k of windowCells(r, c, fh, fw, stride, dilation)) seen[k.r][k.c] = true;
  return seen;
}

/**
 * Gradients of a convolution of two matrices: `dx` of the padded input, with what falls on the padding still in it, and
 * `df`. Each output adds its dy · f to the cells of its window, and its dy · x to the filter.
 */
export function conv2dBackward(dy, x, f, { stride = 1, padding = 0 } = {}) {
  const padded = pad2d(x, padding);
  const dx = build(...shapeOf(padded), () => 0);
  const df = build(...shapeOf(f), () => 0);
  dy.forEach((line, row) => line.forEach((g, col) => {
    for (const k of windowCells(row, col, ...shapeOf(f), stride)) {
      dx[k.r][k.c] += g * f[k.fr][k.fc];
      df[k.fr][k.fc] += g * padded[k.r][k.c];
    }
  }));
  return { dx, df };
}

/** The cell of a window that holds its maximum; the first one wins, row by row, as in PyTorch. */
export const firstLargest = (x, cells) => cells.reduce((best, k) => (x[k.r][k.c] > x[best.r][best.c] ? k : best));

/** Gradient of max or average pooling of a matrix. */
export function pool2dBackward(dy, x, size, stride, kind) {
  const dx = build(...shapeOf(x), () => 0);
  dy.forEach((line, row) => line.forEach((g, col) => {
    const cells = windowCells(row, col, size, size, stride);
    const takers = kind === "max" ? [firstLargest(x, cells)] : cells;
    for (const k of takers) dx[k.r][k.c] += g / takers.length;
  }));
  return dx;
}

/** `values` cut, or filled up with `fill`, to the shape rows × cols. */
export const fitted = (values, rows, cols, fill = 1) => build(rows, cols, (r, c) => values[r]?.[c] ?? fill);

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// ---------------------------------------------------------------- text

/** A number as it is printed in a cell: at most `digits` decimals and a true minus sign. */
export const fmt = (v, digits = 2) => String(Number(v.toFixed(digits))).replace("-", "−");

/** The same inside a product, where a negative factor needs brackets. */
export const factor = (v) => (v < 0 ? `(${fmt(v)})` : fmt(v));

/** What a reader typed, as a number; NaN when it is none. Both minus signs and a decimal comma are understood. */
export function parse(text) {
  const clean = text.trim().replace("−", "-").replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(clean) ? Number(clean) : NaN;
}

// ---------------------------------------------------------------- page elements

/** What counts as a child of an element: a condition that failed leaves none. */
const isChild = (child) => child !== null && child !== undefined && child !== false;

/** An element: attributes by name, `on…` listeners, `class`, and children (nodes, text, or nested arrays). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(isChild));
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
    /** Call when all parts are in place: shows the first state; returns the clean-up function for anywidget. */
    start() {
      tools.append(reset);
      draw();
      return () => { for (const key of keys) model.off(`change:${key}`, schedule); };
    },
  };
}

export const button = (text, label, onclick, extra = {}) =>
  h("button", { type: "button", class: "cb-button", "aria-label": label, title: label, onclick, ...extra }, text);

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

/** Step back, play/pause and step forward through `count()` positions: {els, stop}. */
export function player({ count, position, go, delay = 900 }) {
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
    timer = setInterval(() => (play.isConnected ? move(1) : stop()), delay);
  }, { "aria-pressed": "false" });
  const next = button("›", "One step forward", () => { stop(); move(1); });
  play.classList.add("cb-play");
  return { els: [back, play, next], stop };
}

/** A matrix behind an operator sign, which stay together when the line breaks. */
export const after = (sign, ...parts) =>
  h("div", { class: "cb-after" }, h("span", { class: "cb-operator", "aria-hidden": "true" }, sign), parts);

/** A line of text that screen readers announce when it changes. */
export const live = (cls) => h("div", { class: cls, "aria-live": "polite", "aria-atomic": "true" });

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

// ---------------------------------------------------------------- matrices

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * A matrix as a grid with the value in every cell.
 *
 * @param symbol   the letter it goes by (X, F, Y)
 * @param label    what it is, for screen readers ("Input X")
 * @param onedit   (row, col, value) => …: the cells can be typed in
 * @param form     the cells are a form to fill in: Tab goes through all of them, and they may be empty or hold what is
 *   no number; onedit then gets whatever `read` made of the text, and the text itself as a fourth argument
 * @param read     (text) => number, NaN when it is none
 * @param onpick   (row, col) => …: hovering, tapping or walking with the arrow keys chooses a cell; together with
 *   `onedit`, the cell that is typed in is chosen too
 * @returns {el, caption, show(values, {mark, scale, text, note, shape})}
 *   values: numbers, and null for a cell that is still empty;
 *   mark(row, col) -> class names ("window", "picked", "padding", "unreached", …);
 *   scale: the value that gets the full colour; text(row, col) -> what to print instead of the value;
 *   note(row, col) -> small print in the corner of the cell (the filter's weight);
 *   shape: what to print as the shape instead of "rows × columns".
 */
export function matrix({ symbol, label, onedit, onpick, form = false, read = parse }) {
  const body = h("tbody");
  const table = h("table", { role: "grid", "aria-label": label }, body);
  const size = h("span", { class: "cb-shape" });
  const caption = h("figcaption", {}, symbol ? h("b", {}, symbol) : null, size);
  const el = h("figure", { class: "cb-matrix" }, caption, h("div", { class: "cb-scroll" }, table));
  let cells = [];
  let current = [0, 0];

  const target = (r, c) => cells[r][c].input ?? cells[r][c].td;
  const fixed = (r, c) => cells[r][c].td.classList.contains("padding");
  const walk = (event, r, c) => {
    const move = MOVES[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const row = clamp(r + move[0], 0, cells.length - 1);
    const col = clamp(c + move[1], 0, cells[0].length - 1);
    if (fixed(row, col)) return;
    target(row, col).focus();
  };
  const rove = (r, c) => {
    if (!form && cells[current[0]]?.[current[1]]) target(...current).tabIndex = -1;
    current = [r, c];
    target(r, c).tabIndex = 0;
  };
  const make = (r, c) => {
    const name = `${symbol || label} row ${r}, column ${c}`;
    if (onedit) {
      const input = h("input", {
        type: "text", autocomplete: "off", spellcheck: "false", tabindex: form ? 0 : -1, "aria-label": name,
        onfocus: () => { rove(r, c); input.select(); onpick?.(r, c); },
        onkeydown: (event) => walk(event, r, c),
        oninput: () => {
          const value = read(input.value);
          const good = Number.isFinite(value) && Math.abs(value) < 1e6;
          input.toggleAttribute("aria-invalid", !good && !form);
          if (good || form) onedit(r, c, value, input.value);
        },
        onblur: () => { input.removeAttribute("aria-invalid"); input.value = cells[r][c].text; },
      });
      const hover = (event) => { if (event.pointerType === "mouse") onpick(r, c); };
      return { td: h("td", { role: "gridcell", onpointerenter: onpick && hover }, input), input };
    }
    if (onpick) {
      const td = h("td", {
        role: "gridcell", tabindex: -1,
        onfocus: () => { rove(r, c); onpick(r, c); },
        onkeydown: (event) => walk(event, r, c),
        onclick: () => td.focus(),
        onpointerenter: (event) => { if (event.pointerType === "mouse") onpick(r, c); },
      });
      return { td };
    }
    return { td: h("td", { role: "gridcell" }) };
  };

  return {
    el,
    caption,
    show(values, { mark = () => "", scale, text, note = () => "", shape } = {}) {
      const [rows, cols] = shapeOf(values);
      const full = scale ?? Math.max(1e-12, ...values.flat().map(Math.abs));
      if (cells.length !== rows || cells[0].length !== cols) {
        cells = build(rows, cols, make);
        body.replaceChildren(...cells.map((row) => h("tr", {}, row.map((cell) => cell.td))));
        table.style.setProperty("--cb-cols", cols);
        if (onedit || onpick) rove(clamp(current[0], 0, rows - 1), clamp(current[1], 0, cols - 1));
      }
      size.textContent = shape ?? `${rows} × ${cols}`;
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < cols; c++) {
          const cell = cells[r][c];
          const empty = values[r][c] === null;
          const classes = `${mark(r, c) || ""}${empty ? " empty" : ""}`;
          cell.text = text ? text(r, c) : empty ? "" : fmt(values[r][c]);
          cell.td.className = `${classes} ${values[r][c] < 0 ? "neg" : "pos"}`.trim();
          cell.td.style.setProperty("--cb-tone", Math.min(1, Math.abs(values[r][c]) / full).toFixed(3));
          if (empty) delete cell.td.dataset.value;
          else cell.td.dataset.value = values[r][c];
          if (note(r, c)) cell.td.dataset.note = note(r, c);
          else delete cell.td.dataset.note;
          if (onpick) cell.td.setAttribute("aria-selected", classes.includes("picked"));
          if (!cell.input) cell.td.textContent = cell.text;
          else {
            const fixed = classes.includes("padding");
            cell.input.disabled = fixed;
            if (document.activeElement !== cell.input && cell.input.getRootNode().activeElement !== cell.input)
              cell.input.value = cell.text;
          }
        }
      // A cell of the padding is never chosen: the Tab key leads to the first one that can be.
      if ((onedit || onpick) && !form && fixed(...current)) {
        const row = cells.findIndex((line) => line.some((cell) => !cell.td.classList.contains("padding")));
        if (row >= 0) rove(row, cells[row].findIndex((cell) => !cell.td.classList.contains("padding")));
      }
    },
  };
}

/** A grid of blocks: a fourth-order array, whose first two axes say which block and whose last two where in it. */
export function blockArray() {
  const el = h("div", { class: "cb-blocks" });
  let blocks = [];
  return {
    el,
    /** `values(i, j)` is block (i, j) or null when it is still empty; `current` is the block that is lit. */
    show([rows, cols], [inner, across], values, { current, scale, name }) {
      if (blocks.length !== rows || blocks[0].length !== cols) {
        blocks = build(rows, cols, () => matrix({ symbol: "", label: "" }));
        el.replaceChildren(...blocks.flat().map((block) => block.el));
      }
      el.style.setProperty("--cb-blocks", cols);
      el.style.setProperty("--cb-across", cols * (across + 0.45));
      blocks.forEach((row, i) => row.forEach((block, j) => {
        const lit = i === current[0] && j === current[1];
        block.el.classList.toggle("lit", lit);
        block.el.querySelector("table").setAttribute("aria-label", `${name}[${i}, ${j}]`);
        block.show(values(i, j) ?? build(inner, across, () => null), { scale, mark: () => (lit ? "window" : "") });
      }));
    },
    lit: () => el.querySelector(".lit"),
  };
}

/** A box that scrolls by itself when its content is too wide; only then the keyboard can reach it, to scroll it. */
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

/** A slice as NumPy writes it: `count` cells from `start`, `stride` apart. */
export function slice(start, count, stride) {
  return `${start}:${start + stride * (count - 1) + 1}${stride > 1 ? `:${stride}` : ""}`;
}

/** The numbers of a shape as they stand in the captions: "2 × 3 × 4". */
export const times = (...sizes) => sizes.join(" × ");

/** The output size along one axis, as text with the numbers put in; without `padding` the formula does not mention it. */
export function sizeFormula(name, sizeName, kernelName, { size, kernel, stride, padding, dilation = 1 }) {
  const taps = extent(kernel, dilation);
  const inside = size + 2 * (padding ?? 0) - taps;
  const [P, p] = padding === undefined ? ["", ""] : [" + 2P", ` + 2·${padding}`];
  const k = dilation === 1 ? kernelName : `(D(${kernelName}−1)+1)`;
  const quotient = inside / stride;
  const floor = Number.isInteger(quotient) ? "" : ` = ⌊${fmt(quotient)}⌋ + 1`;
  return `${name} = ⌊(${sizeName}${P} − ${k}) / S⌋ + 1 = ⌊(${size}${p} − ${taps}) / ${stride}⌋ + 1`
    + `${floor} = ${Math.floor(quotient) + 1}`;
}
