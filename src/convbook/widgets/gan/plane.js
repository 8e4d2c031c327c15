// The plane of GanLab: D as a coloured field, real and generated points, and the gradients that
// move the generated ones.
import { clamp } from "../kit/arithmetic.js";
import { h } from "../kit/elements.js";
import { picture } from "../kit/pictures.js";
import { arrow } from "../kit/pointing.js";
import "./plane.css";

export const REACH = 3; // the plane is shown from −REACH to REACH
export const GRID = 36; // places of the field along each side
const ARROW = 0.35; // length of an arrow for a gradient of 1
const LONGEST = 0.8;

/**
 * The plane: {el, show({field, real, fake, pulls}), drawable(whether)}. `add(points)` is called
 * with what the reader draws, [x, y] pairs, while that is allowed.
 */
export function planeView({ add }) {
  const field = picture();
  const marks = h("canvas", { class: "cb-planemarks", "aria-hidden": "true" });
  const pen = h("span", { class: "cb-planepen", hidden: true });
  const el = h("div", { class: "cb-plane", role: "img", "aria-label": "The plane" }, field.el, marks, pen);
  let drawing = false; // whether the reader may draw
  let down = false;
  let cursor = [0, 0];

  const positionOf = ({ clientX, clientY }) => {
    const box = el.getBoundingClientRect();
    const within = (v) => clamp(Math.round(v * 100) / 100, -REACH, REACH);
    return [within(((clientX - box.left) / box.width * 2 - 1) * REACH), within((1 - (clientY - box.top) / box.height * 2) * REACH)];
  };
  el.addEventListener("pointerdown", (event) => {
    if (!drawing || event.button) return;
    down = true;
    el.setPointerCapture(event.pointerId);
    add([positionOf(event)]);
  });
  el.addEventListener("pointermove", (event) => {
    if (drawing && down) add((event.getCoalescedEvents?.() ?? [event]).map(positionOf));
  });
  for (const type of ["pointerup", "pointercancel"]) el.addEventListener(type, () => { down = false; });
  el.addEventListener("keydown", (event) => {
    if (!drawing) return;
    const move = arrow(event);
    if (move) cursor = [clamp(cursor[0] + 0.25 * move[1], -REACH, REACH), clamp(cursor[1] - 0.25 * move[0], -REACH, REACH)];
    else if (event.key === " ") {
      event.preventDefault();
      add([cursor.slice()]);
    }
    showPen();
  });
  function showPen() {
    pen.style.left = `${50 * (1 + cursor[0] / REACH)}%`;
    pen.style.top = `${50 * (1 - cursor[1] / REACH)}%`;
  }

  return {
    el,
    /** Whether the reader draws the real points here, with the pointer or with the keys. */
    drawable(whether) {
      drawing = whether;
      el.classList.toggle("drawable", whether);
      pen.toggleAttribute("hidden", !whether);
      el.setAttribute("role", whether ? "application" : "img");
      if (whether) {
        el.setAttribute("tabindex", "0");
        el.dataset.lmSuppressShortcuts = "true";
        showPen();
      } else el.removeAttribute("tabindex");
    },
    show({ values, real, fake, pulls, said }) {
      // Blue where D says real, orange where it says generated, and nothing at ½.
      field.show(values.map((d) => 0.55 * (2 * d - 1)), GRID, GRID, 1);
      el.setAttribute("aria-label", said);
      drawMarks(marks, real, fake, pulls);
    },
  };
}

function drawMarks(canvas, real, fake, pulls) {
  const size = canvas.clientWidth || 320;
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(size * scale)) canvas.width = canvas.height = Math.round(size * scale);
  const style = getComputedStyle(canvas);
  const [text, ground, blue, orange] = ["--cb-text", "--cb-bg", "--cb-pos", "--cb-neg"].map((name) => style.getPropertyValue(name));
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, size, size);
  const at = (x, y) => [(x / REACH + 1) / 2 * size, (1 - y / REACH) / 2 * size];
  context.lineWidth = 1;
  context.strokeStyle = ground;
  context.fillStyle = blue;
  for (let i = 0; i < real.length; i += 2) {
    context.beginPath();
    context.arc(...at(real[i], real[i + 1]), 3, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
  context.strokeStyle = text;
  for (let i = 0; i < pulls.length; i += 2) drawArrow(context, fake.subarray(i, i + 2), pulls.subarray(i, i + 2), at);
  context.strokeStyle = ground;
  context.fillStyle = orange;
  for (let i = 0; i < fake.length; i += 2) { // a square on its corner
    const [x, y] = at(fake[i], fake[i + 1]);
    context.beginPath();
    context.moveTo(x, y - 4);
    for (const [dx, dy] of [[4, 0], [0, 4], [-4, 0]]) context.lineTo(x + dx, y + dy);
    context.closePath();
    context.fill();
    context.stroke();
  }
}

function drawArrow(context, [x, y], [dx, dy], at) {
  const length = ARROW * Math.hypot(dx, dy);
  if (length < 0.01) return;
  const shrink = ARROW * Math.min(1, LONGEST / length);
  const [from, to] = [at(x, y), at(x + shrink * dx, y + shrink * dy)];
  const angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  for (const turn of [-2.6, 2.6]) {
    context.moveTo(...to);
    context.lineTo(to[0] + 5 * Math.cos(angle + turn), to[1] + 5 * Math.sin(angle + turn));
  }
  context.stroke();
}
