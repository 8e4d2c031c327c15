// How a drawing becomes a picture as MNIST has them, in four pictures.
import { checkbox } from "../kit/controls.js";
import { h } from "../kit/elements.js";
import { times } from "../kit/formula.js";
import { cover, picture } from "../kit/pictures.js";
import { BOX, crop, enlarged, inkBox, PAD, prepare, SIDE, toBytes } from "./digit_image.js";
import "./preparation.css";

/** A picture in the middle of a square of `size`, as `picture.show` wants it. */
function inSquare(image, size) {
  const values = new Float32Array(size * size);
  const [top, left] = [Math.floor((size - image.rows) / 2), Math.floor((size - image.cols) / 2)];
  image.values.forEach((v, i) => { values[(top + Math.floor(i / image.cols)) * size + left + (i % image.cols)] = v; });
  return [values, size, size];
}

function step(title) {
  const image = picture({ ink: true });
  const mark = h("span", { class: "cb-part" });
  const text = h("span", { class: "cb-shape" });
  const view = h("div", { class: "cb-view" }, image.el, mark);
  const el = h("figure", { class: "cb-step" }, view, h("figcaption", {}, h("b", {}, title), text));
  return { el, view, image, mark, text };
}

/**
 * {el, show({strokes, pixels, scale, centre})}. `drawingOf(strokes)` draws them; `change({scale})`
 * and `change({centre})` are called by the boxes to tick; `frameInk(box)` gets the box around the
 * ink.
 */
export function preparation({ drawingOf, change, frameInk }) {
  const scale = checkbox({ text: `scale to ${BOX} × ${BOX}`, onchange: (on) => change({ scale: on }) });
  const centre = checkbox({ text: "centre of mass in the middle", onchange: (on) => change({ centre: on }) });
  const steps = [step("1 Drawing"), step("2 The ink alone"), step("3 Made smaller"), step("4 Put in place")];
  const cross = h("span", { class: "cb-cross" });
  steps[3].view.append(cross);
  const remark = h("div", { class: "cb-remark" });

  const frame = (mark, { top, left, rows, cols }, side) => {
    mark.hidden = false;
    cover(mark, [top, left, rows, cols], side, side);
  };
  return {
    el: h("div", { class: "cb-preparation" },
      h("div", { class: "cb-parthead" }, h("b", {}, "Prepared as MNIST was"), scale.el, centre.el),
      h("div", { class: "cb-steps" }, steps.map((s) => s.el)), remark),
    showSettings(now) {
      scale.show(now.scale);
      centre.show(now.centre);
    },
    show(now) {
      const { strokes, pixels } = now;
      const flat = pixels.flat();
      const drawing = strokes.length ? drawingOf(strokes) : enlarged(pixels);
      let made = prepare(drawing, now.scale, now.centre);
      const asIs = !strokes.length && made; // given pixel by pixel; MNIST's digits are left as they are by all steps
      if (asIs && JSON.stringify(toBytes(made.result)) !== JSON.stringify(pixels)) made = null;
      frameInk(made?.box);
      cross.hidden = !made || !now.centre;
      for (const s of steps) {
        s.el.classList.toggle("unused", !made);
        s.mark.hidden = true;
        s.text.textContent = "";
      }
      steps[3].image.show(flat, SIDE, SIDE, 255);
      steps[3].el.classList.remove("unused");
      steps[3].text.textContent = times(SIDE, SIDE);
      if (!made) {
        for (const s of steps.slice(0, 3)) s.image.show([], SIDE, SIDE);
        remark.textContent = asIs ? "This picture was given pixel by pixel, and goes into the network as it is." : "";
        return;
      }
      const { box, small } = made;
      steps[0].image.show(drawing.values, PAD, PAD);
      steps[0].text.textContent = times(PAD, PAD);
      frame(steps[0].mark, box, PAD);
      // The ink alone, as large as it gets.
      steps[1].image.show(...inSquare(crop(drawing, box), Math.max(box.rows, box.cols)));
      steps[1].text.textContent = times(box.rows, box.cols);
      // In a box of 20 × 20, or as it lies in the whole.
      steps[2].image.show(...inSquare(small, now.scale ? BOX : SIDE));
      steps[2].text.textContent = times(small.rows, small.cols);
      const at = inkBox({ rows: SIDE, cols: SIDE, values: flat });
      if (at) frame(steps[3].mark, at, SIDE);
      remark.textContent = asIs ? "A digit of MNIST went through these steps long ago: they leave it as it is, pixel by pixel. "
        + "Draw one of your own, or take one of the drawings above." : [
        now.scale ? `The longer side of the ink becomes ${BOX} pixels; each pixel is the average of what it covers.`
          : "Not scaled: every pixel is the average of 10 × 10 cells of the pad, and a small digit stays small.",
        now.centre ? "Its centre of mass (the cross) comes to lie in the middle." : "Not centred: it stays where it was drawn.",
        now.scale && now.centre ? "" : "The network has never seen such digits in training.",
      ].filter(Boolean).join(" ");
    },
  };
}
