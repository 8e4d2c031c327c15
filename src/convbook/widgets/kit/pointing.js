// Where the arrow keys and the pointer lead.
import { clamp } from "./arithmetic.js";

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * What an arrow key asks for, [rows, columns], and the page neither scrolls nor hears of it; null
 * for any other key, and where a key is held that makes the arrow a command of the browser.
 */
export function arrow(event) {
  const move = MOVES[event.key];
  if (!move || event.altKey || event.ctrlKey || event.metaKey) return null;
  event.preventDefault();
  event.stopPropagation();
  return move;
}

/**
 * Draws by key: an arrow calls `move([rows, columns])`, Space begins a stroke or ends the one that
 * is `drawn`, Escape ends it, Backspace and Delete undo and clear. Returns whether it was one of
 * these keys, of which the page does not hear then.
 */
export function drawByKey(event, { drawn, move, begin, lift, undo, clear }) {
  const step = arrow(event);
  if (step) move(step);
  else if (event.altKey || event.ctrlKey || event.metaKey) return false;
  else if (event.key === " ") {
    if (drawn) lift();
    else begin();
  } else if (event.key === "Escape" && drawn) lift();
  else if (event.key === "Backspace") undo();
  else if (event.key === "Delete") clear();
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

/** The cell [row, column] of an element with rows × cols of them that lies under the pointer. */
export function cellAt(event, element, rows, cols) {
  const box = element.getBoundingClientRect();
  const cell = (v, from, size, n) => clamp(Math.floor((v - from) / size * n), 0, n - 1);
  return [cell(event.clientY, box.top, box.height, rows), cell(event.clientX, box.left, box.width, cols)];
}

/** Calls `follow(event)` for a press on an element and while the pointer is drawn across it. */
export function onDrag(element, follow) {
  element.addEventListener("pointerdown", follow);
  element.addEventListener("pointermove", (event) => { if (event.buttons & 1) follow(event); });
}
