// What the network reads: a sentence, and the probability of each digit as a bar.
import { h, live } from "../kit/elements.js";
import { named, percent, sentence } from "./words.js";
import "./reading.css";

const PAUSE = 800; // milliseconds without a change, after which the reading is announced

/** {el, show(probabilities, example), stop()}; without probabilities the pad is empty. */
export function reading() {
  const verdict = h("div", { class: "cb-verdict" });
  const truth = h("div", { class: "cb-truth" });
  const bars = Array.from({ length: 10 }, (_, digit) => {
    const fill = h("span", { class: "cb-fill" });
    const number = h("span", { class: "cb-percent" });
    const row = h("div", { class: "cb-bar", role: "listitem" },
      h("b", {}, String(digit)), h("span", { class: "cb-track" }, fill), number);
    return { el: row, fill, number };
  });
  const spoken = live("cb-spoken");
  let announcement = null;
  const announce = (text) => {
    clearTimeout(announcement);
    announcement = setTimeout(() => { if (spoken.textContent !== text) spoken.textContent = text; }, PAUSE);
  };
  const list = h("div", { class: "cb-bars", role: "list", "aria-label": "Probability of each digit" }, bars.map((bar) => bar.el));
  return {
    el: h("div", { class: "cb-reading" }, verdict, truth, list, spoken),
    show(probabilities, example) {
      const empty = !probabilities;
      const best = empty ? -1 : probabilities.indexOf(Math.max(...probabilities));
      bars.forEach((bar, digit) => {
        const p = empty ? 0 : probabilities[digit];
        bar.el.classList.toggle("best", digit === best);
        bar.fill.style.width = `${100 * p}%`;
        bar.number.textContent = empty ? "–" : percent(p);
        bar.el.setAttribute("aria-label", empty ? `${digit}: no drawing yet` : `${digit}: ${percent(p)}`);
        if (empty) delete bar.el.dataset.value;
        else bar.el.dataset.value = p;
      });
      verdict.textContent = empty ? "Nothing to read yet." : sentence(probabilities);
      truth.textContent = empty ? "Draw one, or choose one below."
        : example ? `The test set says ${named(example.label)}: ${example.label === best ? "right." : "wrong."}` : "";
      truth.classList.toggle("wrong", Boolean(example) && example.label !== best);
      announce(`${verdict.textContent} ${empty ? "" : percent(probabilities[best])} ${truth.textContent}`);
    },
    stop: () => clearTimeout(announcement),
  };
}
