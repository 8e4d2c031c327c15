// A picture with boxes drawn over it, some of which can be moved with pointer and keys.
import { clamp } from "./arithmetic.js";
import { h, svg } from "./elements.js";
import { arrow } from "./pointing.js";
import "./board.css";

/** A rectangle on a board. */
export const rectangle = ([y0, x0, y1, x1], more = {}) =>
  svg("rect", { x: x0, y: y0, width: x1 - x0, height: y1 - y0, ...more });

/** A name at a lower corner of a box, inside of it; on the right where the picture soon ends. */
export function nameOf([, x0, y1, x1], text, width) {
  const right = x0 > 0.6 * width;
  const x = right ? Math.min(x1, width) - 0.6 : Math.max(x0, 0) + 0.6;
  return svg("text", { class: "cb-name-tag", x, y: y1 - 1, ...(right ? { "text-anchor": "end" } : {}) }, text);
}

const MANY = 5; // so many things can bear their names in the picture, more only their numbers

/** The names of things in words: with their numbers where there are many, or two of a name. */
export const titlesOf = (names) => names.map((name, t) => (names.length > MANY || names.indexOf(name) !== names.lastIndexOf(name)
  ? `${name} ${t + 1}` : name));

/** What is written on a thing in the picture. */
export const tagOf = (names, t) => (names.length > MANY ? String(t + 1) : titlesOf(names)[t]);

/**
 * A board: a picture and a drawing over it, both in the picture's pixels. `onpoint(y, x)` is called
 * for a press, and while the pointer is drawn across; `onarrow(rows, columns, event)` for the arrow
 * keys. {el, show({url, height, width}, ...layers of SVG elements)}
 */
export function board({ label, onpoint, onhover, onarrow, pixelated = false }) {
  const image = h("img", { alt: "", draggable: "false", class: pixelated ? "pixelated" : "" });
  const drawing = svg("svg", { "aria-hidden": "true" });
  const below = svg("g");
  const above = svg("g");
  drawing.append(below, above);
  const el = h("div", { class: "cb-board", tabindex: "0", role: "group", "aria-label": label }, image, drawing);
  el.dataset.lmSuppressShortcuts = "true";
  let size = [1, 1];
  const at = (event) => {
    const box = el.getBoundingClientRect();
    return [(event.clientY - box.top) / box.height * size[0], (event.clientX - box.left) / box.width * size[1]];
  };
  if (onpoint) {
    drawing.addEventListener("pointerdown", (event) => { if (!event.target.closest("[data-drag]")) onpoint(...at(event)); });
  }
  if (onhover) {
    drawing.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse" && !event.buttons) onhover(...at(event)); });
  }
  if (onarrow) {
    el.addEventListener("keydown", (event) => {
      const move = arrow(event);
      if (move) onarrow(...move, event);
    });
  }
  return {
    el,
    drawing,
    at,
    /** What stays on top and is not replaced when the board is shown anew: what can be dragged. */
    keep: (...parts) => above.append(...parts),
    show({ url, height, width }, ...layers) {
      // Without an address there is no picture: an empty one would count as missing on the page.
      if (!url) image.remove();
      else if (image.parentNode !== el) el.prepend(image);
      if (url && image.getAttribute("src") !== url) image.setAttribute("src", url);
      size = [height, width];
      el.style.aspectRatio = `${width} / ${height}`;
      drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
      below.replaceChildren(...layers.flat(Infinity).filter(Boolean));
    },
  };
}

const CORNERS = [[0, 1], [0, 3], [2, 1], [2, 3]]; // which edges a corner moves: [of y, of x]

/**
 * A box on a board that can be moved, and sized at its corners: {show(box, visible), nudge}.
 * `onchange(box)`: a box whose edges moved by whole units, at least `least` of them high and wide.
 * Its centre stays inside, and no corner is drawn out of the picture.
 */
export function movableBox(on, { onchange, limits, unit = () => 1, least = 1, sizable = true, name = "box" }) {
  const body = svg("rect", { class: "cb-movable", "data-drag": "body" });
  const corners = sizable ? CORNERS.map((edges) => [
    svg("circle", { class: "cb-knob", r: 1.4 }), svg("circle", { class: "cb-grip", r: 2.9, "data-drag": edges.join() }),
  ]) : [];
  const group = svg("g", { "data-box": name }, body, corners);
  on.keep(group);
  let box = [0, 0, 1, 1];
  const snap = (v) => Math.round(v / unit()) * unit();
  /** The box moved by whole units, so far that its centre stays inside. */
  const moved = (from, dy, dx) => {
    const [height, width] = limits();
    const shift = [[dy, height], [dx, width]].map(([by, most], axis) => {
      const centre = (from[axis] + from[axis + 2]) / 2;
      return snap(clamp(by, Math.ceil(-centre / unit()) * unit(), Math.floor((most - centre) / unit()) * unit()));
    });
    return from.map((v, i) => v + shift[i % 2]);
  };
  /** The box with some of its edges moved. */
  const sized = (from, edges, dy, dx) => {
    const next = [...from];
    for (const edge of edges) {
      const wanted = snap(from[edge] + [dy, dx][edge % 2]);
      const most = limits()[edge % 2];
      next[edge] = edge < 2 ? clamp(wanted, Math.min(from[edge], 0), from[edge + 2] - least * unit())
        : clamp(wanted, from[edge - 2] + least * unit(), Math.max(from[edge], most));
    }
    return next;
  };
  group.addEventListener("pointerdown", (event) => {
    const what = event.target.dataset.drag;
    if (!what || event.button) return;
    const [from, begin] = [[...box], on.at(event)];
    const follow = (moving) => {
      const [y, x] = on.at(moving);
      const [dy, dx] = [y - begin[0], x - begin[1]];
      onchange(what === "body" ? moved(from, dy, dx) : sized(from, what.split(",").map(Number), dy, dx));
    };
    const end = () => {
      for (const type of ["pointerup", "pointercancel"]) on.drawing.removeEventListener(type, end);
      on.drawing.removeEventListener("pointermove", follow);
    };
    on.drawing.setPointerCapture(event.pointerId);
    on.drawing.addEventListener("pointermove", follow);
    for (const type of ["pointerup", "pointercancel"]) on.drawing.addEventListener(type, end);
    event.preventDefault(); // no text is selected
    on.el.focus({ preventScroll: true });
  });
  return {
    /** Moves the box by so many units, or with `lower` its lower right corner. */
    nudge(rows, cols, lower = false) {
      const by = [rows * unit(), cols * unit()];
      onchange(lower && sizable ? sized(box, [2, 3], ...by) : moved(box, ...by));
    },
    show(now, visible = true) {
      box = now;
      group.toggleAttribute("hidden", !visible);
      group.style.display = visible ? "" : "none";
      const [y0, x0, y1, x1] = box;
      for (const [key, value] of Object.entries({ x: x0, y: y0, width: x1 - x0, height: y1 - y0 })) body.setAttribute(key, value);
      corners.forEach((circles, i) => {
        for (const circle of circles) {
          circle.setAttribute("cy", box[CORNERS[i][0]]);
          circle.setAttribute("cx", box[CORNERS[i][1]]);
        }
      });
    },
  };
}
