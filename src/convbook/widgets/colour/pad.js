// A small picture to paint on, pixel by pixel, with the mouse, a finger or the arrow keys.
import { clamp } from "../kit/arithmetic.js";
import { slider } from "../kit/controls.js";
import { button, h } from "../kit/elements.js";
import { colourPicture } from "../kit/pictures.js";
import { cellAt, drawByKey } from "../kit/pointing.js";

/**
 * {el, tools, lift(), show(grey, strokes), showTools()}. `get(name)` reads "strokes", "shade" and
 * "pen" of the model, `change(strokes)` sets them.
 */
export function paintingPad({ size, get, change, setShade, setPen }) {
  let stroke = null; // the cells of the one that is being painted
  let pointer = null; // what paints it; null: the keyboard
  let cursor = [size >> 1, size >> 1];

  const base = colourPicture();
  const brush = h("div", { class: "cb-brush", "aria-hidden": "true" });
  const pad = h("div", {
    class: "cb-view cb-paint", tabindex: "0", role: "application", "data-lm-suppress-shortcuts": "true",
    "aria-label": "The grey picture. Arrow keys move the brush; Space puts it down and lifts it; Backspace undoes; Delete clears.",
    onpointerdown: pressed, onpointermove: moved, onpointerup: released, onpointercancel: released, onkeydown: typed,
    onblur: () => { lift(); showBrush(); }, onfocus: showBrush,
  }, base.el, brush);
  const undoButton = button("Undo", "Undo the last stroke", undo);
  const clearButton = button("Clear", "Remove all that was painted", clear);
  const shade = slider({ label: "shade", min: 0, max: 255, oninput: setShade });
  const pen = slider({ label: "brush", min: 1, max: 15, oninput: setPen });
  const swatch = h("span", { class: "cb-shade", "aria-hidden": "true" });
  shade.el.append(swatch);

  function lift() { [stroke, pointer] = [null, null]; }
  function undo() { lift(); change(get("strokes").slice(0, -1)); }
  function clear() { lift(); change([]); }

  function pressed(event) {
    if (event.button || pointer !== null) return;
    pointer = event.pointerId;
    pad.setPointerCapture(pointer);
    begin(cellAt(event, pad, size, size));
  }
  function moved(event) {
    if (event.pointerId === pointer && stroke) extend(cellAt(event, pad, size, size));
  }
  function released(event) {
    if (event.pointerId === pointer) lift();
  }
  function begin(cell) {
    stroke = { shade: get("shade"), size: get("pen"), cells: [cell] };
    change([...get("strokes"), structuredClone(stroke)]);
  }
  /** One more cell, and those on the way there: a fast pointer leaves some out. */
  function extend([row, col]) {
    const [r, c] = stroke.cells.at(-1);
    const steps = Math.max(Math.abs(row - r), Math.abs(col - c));
    if (!steps) return;
    for (let k = 1; k <= steps; k++) stroke.cells.push([Math.round(r + (row - r) * k / steps), Math.round(c + (col - c) * k / steps)]);
    change([...get("strokes").slice(0, -1), structuredClone(stroke)]);
  }
  function typed(event) {
    const move = (step) => {
      cursor = cursor.map((k, axis) => clamp(k + step[axis], 0, size - 1));
      if (stroke && pointer === null) extend(cursor);
    };
    if (drawByKey(event, { drawn: stroke, move, begin: () => begin(cursor), lift, undo, clear })) showBrush();
  }
  /** The brush of the keyboard is seen while the pad has the focus by the keyboard. */
  function showBrush() {
    pad.classList.toggle("down", Boolean(stroke) && pointer === null);
    const wide = 100 * get("pen") / size;
    Object.assign(brush.style, {
      width: `${wide}%`, height: `${wide}%`,
      left: `${100 * (cursor[1] + 0.5) / size - wide / 2}%`, top: `${100 * (cursor[0] + 0.5) / size - wide / 2}%`,
    });
  }

  return {
    el: pad,
    tools: h("div", { class: "cb-painttools" }, shade.el, pen.el, h("div", { class: "cb-paintbuttons" }, undoButton, clearButton)),
    lift,
    show(grey, strokes) {
      const light = grey.map((v) => (v + 1) / 2);
      const rgb = new Float32Array(3 * light.length);
      for (let c = 0; c < 3; c++) rgb.set(light, c * light.length);
      base.show(rgb, size, size);
      pad.dataset.strokes = strokes.length;
    },
    showTools() {
      shade.show(get("shade"));
      pen.show(get("pen"));
      swatch.style.background = `rgb(${get("shade")} ${get("shade")} ${get("shade")})`;
      showBrush();
      undoButton.disabled = clearButton.disabled = !get("strokes").length;
    },
  };
}
