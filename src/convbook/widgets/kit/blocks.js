// A fourth-order array.
import { build } from "./arithmetic.js";
import { h } from "./elements.js";
import { matrix } from "./matrix.js";
import "./blocks.css";

/**
 * A grid of blocks: a fourth-order array, whose first two axes say which block and whose last two
 * where in it.
 */
export function blockArray() {
  const el = h("div", { class: "cb-blocks" });
  let blocks = [];
  return {
    el,
    /**
     * `values(i, j)` is block (i, j) or null when it is still empty; `current` is the block that is
     * lit.
     */
    show([rows, cols], [inner, across], values, { current, scale, name }) {
      if (blocks.length !== rows || blocks[0].length !== cols) {
        blocks = build(rows, cols, () => matrix({ symbol: "", label: "" }));
        el.replaceChildren(...blocks.flat().map((block) => block.el));
      }
      el.style.setProperty("--cb-blocks", cols);
      el.style.setProperty("--cb-across", cols * (across + 0.45));
      blocks.forEach((row, i) => row.forEach((block, j) => {
        const lit = i === current[0] && j === current[1];
        block.el.classList.toggle("picked", lit);
        block.el.querySelector("table").setAttribute("aria-label", `${name}[${i}, ${j}]`);
        block.show(values(i, j) ?? build(inner, across, () => null), { scale, mark: () => (lit ? "window" : "") });
      }));
    },
    lit: () => el.querySelector(".picked"),
  };
}
