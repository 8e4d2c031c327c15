// OneShotExplorer: one reference for each class; the nearest names an image, in pixels and in
// features.
import { clamp } from "./kit/arithmetic.js";
import { h, live } from "./kit/elements.js";
import { frame } from "./kit/frame.js";
import { bytesOf, floatsOf } from "./kit/packed.js";
import { picture } from "./kit/pictures.js";
import { seededRandom } from "./kit/random.js";
import "./kit/bars.css";
import "./one_shot.css";

const KEYS = ["references", "query"];
const SPACES = ["pixels", "features"];

function render({ model, el }) {
  const { classes, members, size: [rows, cols], ...stored } = model.get("data");
  const n = members.length;
  const [pixels, features] = [Float32Array.from(bytesOf(stored.pixels), (byte) => byte / 255), floatsOf(stored.features)]
    .map((values) => members.map((_, i) => values.subarray(i * values.length / n, (i + 1) * values.length / n)));
  const spaces = [pixels, features];

  const ui = frame({ model, el, title: "One-shot learning: the nearest reference wins", keys: KEYS, draw, walks: ["references", "query"] });
  const references = () => model.get("references");
  const query = () => clamp(model.get("query"), 0, n - 1);
  const distance = (space, i, j) => Math.sqrt(space[i].reduce((sum, v, k) => sum + (v - space[j][k]) ** 2, 0));
  const distances = (space, i) => references().map((r) => distance(space, i, r));
  const nearest = (values) => values.indexOf(Math.min(...values));
  const isRight = (space, i) => nearest(distances(space, i)) === members[i];

  const thumb = (i) => {
    const image = picture({ ink: true });
    image.show(pixels[i], rows, cols);
    return image.el;
  };

  // What a click in the gallery does.
  let role = "query";
  const roles = Object.entries({ query: "the digit asked for", reference: "a reference" }).map(([name, text]) =>
    h("button", { type: "button", class: "cb-button", "data-role": name, onclick: () => { role = name; draw(); } }, text));
  const choose = (i) => {
    if (role === "query") return ui.set({ query: i });
    return ui.set({ references: references().map((r, k) => (k === members[i] ? i : r)) });
  };

  const random = seededRandom(1);
  const others = h("button", {
    type: "button", class: "cb-button", onclick: () => ui.set({
      references: classes.map((_, k) => {
        const ofClass = members.flatMap((m, i) => (m === k ? [i] : []));
        return ofClass[Math.floor(random() * ofClass.length)];
      }),
    }),
  }, "Other references");
  ui.tools.append(others);

  const cells = members.map((_, i) => {
    const sign = h("span", { class: "cb-shot-sign" });
    const el = h("button", { type: "button", class: "cb-shot", "data-image": i, onclick: () => choose(i) }, thumb(i), sign);
    return { el, sign };
  });
  const gallery = h("div", { class: "cb-shots" }, classes.map((name, k) => h("div", { class: "cb-shotrow", role: "group", "aria-label": `Images of class ${name}` },
    h("b", {}, name), h("div", { class: "cb-shotcells" }, cells.filter((_, i) => members[i] === k).map((cell) => cell.el)))));

  const asked = h("div", { class: "cb-shot-asked" });
  const panels = SPACES.map((name) => {
    const list = h("div", { class: "cb-chances cb-shotbars", role: "group", "aria-label": `Distances in ${name}` });
    const verdict = live("cb-judged");
    const score = h("div", { class: "cb-muted", "data-score": name });
    return { list, verdict, score, el: h("figure", { class: "cb-section" }, h("figcaption", {}, h("b", {}, `Distance in ${name}`)), list, verdict, score) };
  });
  ui.add(
    h("div", { class: "cb-shot-roles", role: "group", "aria-label": "What a click on a digit chooses" }, h("span", {}, "A click chooses"), roles),
    gallery,
    h("div", { class: "cb-legend" }, "Below each digit: right (✓) or wrong (✗), by pixels | by features."),
    h("div", { class: "cb-shotstage" }, asked, panels.map((panel) => panel.el)));
  const hold = ui.hold(...panels.map((panel) => panel.verdict));

  function draw() {
    const refs = references();
    const q = query();
    roles.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.role === role)));
    const right = SPACES.map(() => 0);
    cells.forEach(({ el: cell, sign }, i) => {
      const isReference = refs.includes(i);
      const marks = spaces.map((space) => isRight(space, i));
      if (!isReference) marks.forEach((good, s) => { right[s] += good; });
      cell.className = `cb-shot${isReference ? " reference" : ""}${i === q ? " asked" : ""}`;
      cell.setAttribute("aria-pressed", String(i === q));
      sign.replaceChildren(...(isReference ? ["ref"] : marks.flatMap((good, s) => [s ? "|" : "", h("span", { class: good ? "cb-good" : "cb-message" }, good ? "✓" : "✗")])));
      const said = isReference ? "reference" : SPACES.map((name, s) => `by ${name} ${marks[s] ? "right" : "wrong"}`).join(", ");
      cell.setAttribute("aria-label", `${classes[members[i]]}, image ${i}: ${said}${i === q ? ", asked for" : ""}`);
    });
    asked.replaceChildren(h("span", {}, "asked for"), h("div", {}, thumb(q)));
    panels.forEach(({ list, verdict, score }, s) => {
      const values = distances(spaces[s], q);
      const best = nearest(values);
      const longest = Math.max(1e-12, ...values);
      list.replaceChildren(...refs.map((r, k) => {
        const level = h("span", { class: "cb-level" });
        level.style.width = `${100 * values[k] / longest}%`;
        return h("div", { class: `cb-chance${k === best ? " best" : ""}${k === members[q] ? " truth" : ""}`, "data-value": values[k] },
          h("span", { class: "cb-chance-name" }, thumb(r), classes[k]),
          h("span", { class: "cb-tick", "aria-label": k === best ? "nearest" : undefined, role: k === best ? "img" : undefined }, k === best ? "◂" : ""),
          h("span", { class: "cb-rail" }, level), h("span", {}, values[k].toFixed(2)));
      }));
      const good = best === members[q];
      verdict.replaceChildren(...(refs.includes(q)
        ? ["This digit is a reference itself."]
        : [`Nearest is the ${classes[best]}: `, h("span", { class: good ? "cb-good" : "cb-message" }, good ? "right" : `wrong, it is a ${classes[members[q]]}`), "."]));
      score.dataset.right = right[s];
      score.textContent = `Of all ${n - refs.length} others: ${right[s]} right (${Math.round(100 * right[s] / (n - refs.length))} %).`;
    });
    hold();
  }

  return ui.start();
}

export default { render };
