// The pad: strokes drawn with the mouse, a finger or the arrow keys.
import { clamp } from "../kit/arithmetic.js";
import { button, h, svg } from "../kit/elements.js";
import { picture } from "../kit/pictures.js";
import { drawByKey } from "../kit/pointing.js";
import { slider } from "../kit/controls.js";
import { PAD, SIDE, STEP } from "./digit_image.js";
import { pathOf } from "./strokes.js";
import "./pad.css";

/**
 * The pad with its buttons: {el, lift(), show(strokes, pixels, empty), showTools(empty),
 * frameInk(box)}. `get(name)` reads "strokes" and "pen" of the model; `change(values)` sets
 * strokes, `setPen(width)` the pen.
 */
export function drawingPad({ get, change, setPen }) {
  let stroke = null; // the one that is being drawn
  let pointer = null; // what draws it; null: the keyboard
  let cursor = [6, 13]; // row and column of the pen that the arrow keys move
  let waiting = false;

  const backdrop = picture({ ink: true });
  const lines = svg("g", { class: "cb-ink" });
  const frameOfInk = svg("rect", { class: "cb-inkbox" });
  const pen = svg("circle", { class: "cb-pen" });
  const hint = h("div", { class: "cb-padhint", "aria-hidden": "true" }, "Draw a digit here");
  const pad = h("div", {
    class: "cb-pad", tabindex: "0", role: "application", "data-lm-suppress-shortcuts": "true",
    "aria-label": "Drawing pad. Arrow keys move the pen; Space puts it down and lifts it; Backspace undoes; Delete clears.",
    onpointerdown: pressed, onpointermove: moved, onpointerup: released, onpointercancel: released, onkeydown: typed,
    onblur: () => { lift(); showPen(); }, onfocus: showPen,
  }, backdrop.el, svg("svg", { viewBox: `0 0 ${PAD} ${PAD}`, "aria-hidden": "true" }, lines, frameOfInk, pen), hint);
  const clear = () => { lift(); change({ strokes: [] }); };
  const undo = () => { lift(); change({ strokes: get("strokes").slice(0, -1) }); };
  const penWidth = slider({ label: "pen", min: 6, max: 40, oninput: setPen });
  const clearButton = button("Clear", "Clear the pad", clear);
  const undoButton = button("Undo", "Undo the last stroke", undo);

  /** A line that is still being drawn, from the mouse or from the keyboard, ends. */
  function lift() { stroke = null; pointer = null; }

  function positionOf(event) {
    const box = pad.getBoundingClientRect();
    const within = (v, from, size) => clamp(Math.round((v - from) / size * PAD * 10) / 10, 0, PAD);
    return [within(event.clientX, box.left + 1, box.width - 2), within(event.clientY, box.top + 1, box.height - 2)];
  }
  function pressed(event) {
    if (event.button || pointer !== null) return;
    pointer = event.pointerId;
    pad.setPointerCapture(pointer);
    begin(positionOf(event));
  }
  function moved(event) {
    if (event.pointerId !== pointer || !stroke) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const e of events.length ? events : [event]) extend(positionOf(e));
  }
  function released(event) {
    if (event.pointerId !== pointer) return;
    if (event.type === "pointerup") moved(event);
    lift();
  }
  function begin(point) {
    // A digit that was given goes away as soon as one is drawn.
    stroke = { width: get("pen"), points: [point], earlier: get("strokes") };
    flush();
  }
  /**
   * One more point of the line, unless it is where the last one is. The network reads once for each
   * picture on the screen.
   */
  function extend(point) {
    const [x, y] = stroke.points.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) < 2) return;
    stroke.points.push(point);
    if (waiting) return;
    waiting = true;
    const now = stroke;
    requestAnimationFrame(() => { waiting = false; flush(now); });
  }
  function flush(now = stroke) {
    if (now.points.length > 1 && get("strokes").length !== now.earlier.length + 1) return; // cleared meanwhile
    change({ strokes: [...now.earlier, { width: now.width, points: now.points.slice() }] });
  }

  function typed(event) {
    const middle = () => [(cursor[1] + 0.5) * STEP, (cursor[0] + 0.5) * STEP];
    const move = (step) => {
      cursor = cursor.map((k, axis) => clamp(k + step[axis], 0, SIDE - 1));
      if (stroke && pointer === null) extend(middle());
    };
    if (drawByKey(event, { drawn: stroke, move, begin: () => begin(middle()), lift, undo, clear })) showPen();
  }
  /** The pen of the keyboard is seen while the pad has the focus by the keyboard. */
  function showPen() {
    pad.classList.toggle("down", Boolean(stroke) && pointer === null);
    const place = { cx: (cursor[1] + 0.5) * STEP, cy: (cursor[0] + 0.5) * STEP, r: get("pen") / 2 };
    for (const [name, value] of Object.entries(place)) pen.setAttribute(name, value);
  }

  return {
    el: h("div", { class: "cb-padside" }, pad, h("div", { class: "cb-padtools" }, clearButton, undoButton, penWidth.el)),
    lift,
    /** The strokes; where there are none, the pixels that were given. */
    show(strokes, pixels, empty) {
      lines.replaceChildren(...strokes.map((s) => svg("path", { d: pathOf(s.points), "stroke-width": s.width })));
      backdrop.el.hidden = strokes.length > 0;
      backdrop.show(pixels.flat(), SIDE, SIDE, 255);
      hint.hidden = strokes.length > 0 || !empty;
    },
    showTools(empty) {
      penWidth.show(get("pen"));
      showPen();
      undoButton.disabled = !get("strokes").length;
      clearButton.disabled = empty;
    },
    /** Draws a frame around the ink; without a box, none. */
    frameInk(box) {
      frameOfInk.toggleAttribute("hidden", !box);
      if (!box) return;
      const corners = { x: box.left, y: box.top, width: box.cols, height: box.rows };
      for (const [name, value] of Object.entries(corners)) frameOfInk.setAttribute(name, value);
    },
  };
}
