// Matrices, one number in each cell.
import { build, clamp, shapeOf } from "./arithmetic.js";
import { h } from "./elements.js";
import { arrow } from "./pointing.js";
import { readNumber } from "./numbers.js";
import { fmt } from "./text.js";
import "./cells.css";
import "./matrix.css";

/**
 * A matrix as a grid with the value in every cell.
 *
 * @param symbol   the letter it goes by (X, F, Y)
 * @param label    what it is, for screen readers ("Input X")
 * @param onedit   (row, col, value) => …: the cells can be typed in
 * @param form     the cells are a form to fill in: Tab goes through all of them, and they may be empty or hold what is
 *   no number; onedit then gets the text itself
 * @param onpick   (row, col) => …: hovering, tapping or walking with the arrow keys chooses a cell; together with
 *   `onedit`, the cell that is typed in is chosen too
 * @returns {el, caption, show(values, {mark, scale, text, note, shape})}
 *   values: numbers, and null for a cell that is still empty;
 *   mark(row, col) -> class names ("window", "picked", "padding", "unreached", …);
 *   scale: the value that gets the full colour; text(row, col) -> what to print instead of the value;
 *   note(row, col) -> small print in the corner of the cell (the filter's weight);
 *   shape: what to print as the shape instead of "rows × columns".
 */
export function matrix({ symbol, label, onedit, onpick, form = false }) {
  const body = h("tbody");
  const table = h("table", { role: "grid", "aria-label": label }, body);
  const size = h("span", { class: "cb-shape" });
  const caption = h("figcaption", {}, symbol ? h("b", {}, symbol) : null, size);
  const el = h("figure", { class: "cb-matrix" }, caption, h("div", { class: "cb-scroll" }, table));
  const misread = h("div", { class: "cb-misread", role: "status", hidden: true });
  if (onedit && !form) el.append(misread);
  let cells = [];
  let values = []; // what was shown last
  let current = [0, 0];
  let editing = null; // the field that is typed in
  let before; // the number that stood there at first,
  let textBefore; // and the text

  const target = (r, c) => cells[r][c].input ?? cells[r][c].td;
  const fixed = (r, c) => cells[r][c].td.classList.contains("padding");
  const walk = (event, r, c) => {
    const move = arrow(event);
    if (!move) return;
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
  const say = (text) => {
    misread.textContent = text;
    misread.hidden = !text;
  };
  /** A cell may be gone or hidden, or belong to the padding, since it was drawn. */
  const isThere = (r, c, input) => cells[r]?.[c]?.input === input && !fixed(r, c) && !el.closest("[hidden]");
  /**
   * The number that was there before typing began stays: what looks like one at the start of a text
   * is not what was meant.
   */
  const keep = (r, c) => { if (values[r]?.[c] !== before && cells[r]?.[c] && !fixed(r, c)) onedit(r, c, before); };
  const begin = (r, c, input) => {
    if (editing === input) return;
    editing = input;
    before = values[r][c];
    textBefore = input.value;
  };
  const typed = (r, c, input) => {
    if (form) return onedit(r, c, input.value);
    begin(r, c, input);
    const { value, said, unfinished } = readNumber(input.value);
    const good = Number.isFinite(value);
    if (good || unfinished) input.removeAttribute("aria-invalid");
    else input.setAttribute("aria-invalid", "true");
    say(good ? said : unfinished ? "" : `${said} The cell keeps ${fmt(before)}.`);
    if (good) onedit(r, c, value);
    else if (!unfinished) keep(r, c);
  };
  const undo = (r, c, input, event) => {
    event.stopPropagation();
    input.value = textBefore;
    if (form) onedit(r, c, textBefore);
    else {
      keep(r, c);
      input.removeAttribute("aria-invalid");
      say("");
    }
    input.select();
  };
  const make = (r, c) => {
    const name = `${symbol || label} row ${r}, column ${c}`;
    if (onedit) {
      const input = h("input", {
        type: "text", inputmode: "text", spellcheck: "false", tabindex: form ? 0 : -1, "aria-label": name,
        onfocus: () => {
          rove(r, c);
          begin(r, c, input);
          input.select();
          onpick?.(r, c);
        },
        onkeydown: (event) => {
          if (event.key === "Escape") undo(r, c, input, event);
          if (event.key === "Enter") [before, textBefore] = [values[r][c], input.value]; // no way back behind it
          walk(event, r, c);
        },
        oninput: () => { if (isThere(r, c, input)) typed(r, c, input); },
        onblur: () => {
          editing = null;
          if (form) return;
          if (input.hasAttribute("aria-invalid") || readNumber(input.value).unfinished) keep(r, c);
          input.removeAttribute("aria-invalid");
          if (isThere(r, c, input)) input.value = cells[r][c].text;
        },
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
    show(shown, { mark = () => "", scale, text, note = () => "", shape } = {}) {
      values = shown;
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
            if (cell.input.getRootNode().activeElement !== cell.input) cell.input.value = cell.text;
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
