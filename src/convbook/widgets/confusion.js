// ConfusionExplorer: a confusion matrix whose cells open and show the pictures that they count.
import { clamp } from "./kit/arithmetic.js";
import { bars } from "./kit/bars.js";
import { checkbox } from "./kit/controls.js";
import { h, live } from "./kit/elements.js";
import { frame } from "./kit/frame.js";
import { arrow } from "./kit/pointing.js";
import "./kit/cells.css";
import "./kit/matrix.css";
import "./kit/ramp.css";
import "./confusion.css";

const KEYS = ["row", "col", "errors_only", "picture"];

function render({ model, el }) {
  const { classes, counts, cells, numbers, permille, sheet, size: [height, width, channels], across } = model.get("data");
  const K = classes.length;
  const image = new Image();
  image.src = sheet;
  const decoded = image.decode(); // the matrix does not wait for it

  const rowTotals = counts.map(sum);
  const colTotals = counts.map((_, col) => sum(counts.map((line) => line[col])));
  const all = sum(rowTotals);
  const right = sum(counts.map((line, i) => line[i]));
  const share = (row, col) => counts[row][col] / Math.max(1, rowTotals[row]);
  // Mistakes are rare: their colour is full at the largest share of any, not at 100 %.
  const worst = Math.max(1e-9, ...counts.flatMap((line, row) => line.map((_, col) => (row === col ? 0 : share(row, col)))));
  const mistakes = counts.flatMap((line, row) => line.map((count, col) => ({ row, col, count }))).filter((m) => m.row !== m.col);
  const commonest = mistakes.reduce((best, m) => (m.count > best.count ? m : best));

  const ui = frame({ model, el, title: "Confusion matrix: what is taken for what", keys: KEYS, draw, walks: ["row", "col", "picture"] });
  const get = (key) => model.get(key);
  const open = () => {
    const [row, col] = [clamp(get("row"), 0, K - 1), clamp(get("col"), 0, K - 1)];
    return get("errors_only") && row === col ? [commonest.row, commonest.col] : [row, col];
  };
  const choose = (row, col) => {
    if (get("errors_only") && row === col) return;
    ui.set({ row, col, picture: 0 });
  };
  const pictureOf = (k) => {
    const canvas = h("canvas", { class: channels === 1 ? "cb-negative" : "", width, height, "aria-hidden": "true" });
    const [x, y] = [k % across * width, Math.floor(k / across) * height];
    decoded.then(() => canvas.getContext("2d").drawImage(image, x, y, width, height, 0, 0, width, height));
    return canvas;
  };

  const toggle = checkbox({ text: "only errors", onchange: (on) => ui.set({ errors_only: on, picture: 0 }) });
  ui.tools.append(toggle.el);

  const tds = counts.map((line, row) => line.map((_, col) => {
    const td = h("td", {
      role: "gridcell", tabindex: -1, onclick: () => { choose(row, col); td.focus({ preventScroll: true }); },
      onkeydown: (event) => walk(event, row, col), onfocus: () => choose(row, col),
    });
    return td;
  }));
  const head = (role, cls, text, title = text) =>
    h("th", { role, class: cls, title }, h("span", {}, text));
  /** A cell with a share that is no count: recall, precision, accuracy. */
  const total = (part, whole, title, cls = "") =>
    h("td", { role: "gridcell", class: `cb-total ${cls}`, "data-value": fraction(part, whole), title }, percent(part, whole));
  const row = (...cellsOfRow) => h("tr", { role: "row" }, cellsOfRow);
  const table = h("table", {
    role: "grid", class: "cb-confusion", "aria-label": "Counts, a row for each true class and a column for each reading",
  },
  h("thead", { role: "rowgroup" }, row(
    head("columnheader", "cb-corner", "truth ↓\nread as →", "rows: truth; columns: reading"),
    classes.map((text) => head("columnheader", "cb-colname", text, `read as ${text}`)),
    head("columnheader", "cb-colname cb-total", "recall, %"))),
  h("tbody", { role: "rowgroup" },
    tds.map((line, r) => row(head("rowheader", "cb-rowname", classes[r]), line,
      total(counts[r][r], rowTotals[r], `${counts[r][r]} of ${rowTotals[r]} are read rightly`))),
    row(head("rowheader", "cb-rowname cb-total", "preci\u00adsion, %"),
      classes.map((text, c) => total(counts[c][c], colTotals[c], `of ${colTotals[c]} read as ${text}, ${counts[c][c]} are`)),
      total(right, all, `${right} of ${all} are right`, "cb-all"))));
  const long = classes.some((text) => text.length > 2);
  const legend = h("div", { class: "cb-ramprow" },
    h("span", { class: "cb-key" }, h("span", { class: "cb-ramp cb-right" }), "right: 0 to 100 % of the row"),
    h("span", { class: "cb-key" }, h("span", { class: "cb-ramp cb-wrong" }), `wrong: 0 to ${(100 * worst).toFixed(1)} %`));
  const summary = h("div", {}, `${right.toLocaleString("en")} of ${all.toLocaleString("en")} are right; `
    + `${(all - right).toLocaleString("en")} ${all - right === 1 ? "mistake" : "mistakes"}.`);
  const said = live("cb-opened");
  const gallery = h("div", { class: "cb-gallerygrid", role: "group", "aria-label": "Pictures of the open cell" });
  const chances = permille && bars("Probabilities of the picture chosen", classes);
  const explained = live("cb-judged");
  const detail = permille ? h("div", { class: "cb-detail" }, chances.el, explained) : null;
  const opened = h("div", { class: "cb-opencell" }, said, gallery, detail);
  ui.add(h("div", { class: "cb-counted" },
    h("div", { class: long ? "cb-long" : "" }, h("div", { class: "cb-scroll" }, table), summary, legend), opened));
  const hold = ui.hold(said, opened);

  function walk(event, row, col) {
    const move = arrow(event);
    if (!move) return;
    let [r, c] = [clamp(row + move[0], 0, K - 1), clamp(col + move[1], 0, K - 1)];
    // With errors only, the diagonal is stepped over.
    if (get("errors_only") && r === c) [r, c] = [r + move[0], c + move[1]];
    tds[r]?.[c]?.focus();
  }

  function draw() {
    const only = get("errors_only");
    const [row, col] = open();
    toggle.show(only);
    tds.forEach((line, r) => line.forEach((td, c) => {
      const count = counts[r][c];
      const diagonal = r === c;
      const here = r === row && c === col;
      const marks = [diagonal ? "diagonal pos" : "neg", here && "picked", !count && "none", diagonal && only && "left-out"];
      td.className = marks.filter(Boolean).join(" ");
      td.style.setProperty("--cb-tone", (diagonal ? share(r, c) : share(r, c) / worst).toFixed(3));
      td.dataset.value = count;
      td.textContent = diagonal && only ? "" : count || "·";
      td.tabIndex = here ? 0 : -1;
      td.setAttribute("aria-selected", here);
      td.setAttribute("aria-label", `${classes[r]} read as ${classes[c]}: ${count}`);
    }));
    drawCell(row, col);
    hold();
  }

  function drawCell(row, col) {
    const list = cells[`${row},${col}`] ?? [];
    const count = counts[row][col];
    const ofRow = rowTotals[row];
    const what = row === col ? `${classes[row]} read rightly` : `${classes[row]} read as ${classes[col]}`;
    const order = !permille ? "the first" : row === col ? "least sure first" : "surest first";
    const some = list.length && list.length < count ? `; here ${list.length === 1 ? "is one" : `are ${list.length}`}` : "";
    const sorted = some || (list.length > 1 && permille) ? `, ${order}` : "";
    said.replaceChildren(h("b", {}, what), `: ${count} of ${ofRow}`,
      ofRow ? ` (${(100 * count / ofRow).toFixed(1)}\u00a0%)` : "", `${some}${sorted}.`);
    const now = clamp(get("picture"), 0, Math.max(0, list.length - 1));
    gallery.replaceChildren(...list.map((k, i) => {
      const p = permille?.[k];
      const lines = p && (row === col ? runnersUp(p, col) : [col, row]).map((c) => `${classes[c]} ${short(p[c])}`);
      const text = `Image ${numbers[k]}${p ? `: ${lines.join(", ")}` : ""}`;
      const inside = [pictureOf(k), lines ? lines.map((line) => h("span", {}, line)) : h("span", {}, `#${numbers[k]}`)];
      return permille
        ? h("button", {
          type: "button", class: "cb-shown", "aria-label": text, title: text, "aria-pressed": String(i === now),
          "data-number": numbers[k], onclick: () => { ui.set({ picture: i }); focusPicture(i); },
        }, inside)
        : h("div", { class: "cb-shown", role: "img", "aria-label": text, title: text, "data-number": numbers[k] }, inside);
    }));
    if (!list.length) gallery.replaceChildren(h("span", { class: "cb-muted" }, "No such picture."));
    if (!detail) return;
    detail.style.visibility = list.length ? "" : "hidden";
    if (!list.length) return;
    chances.show(permille[list[now]].map((v) => v / 1000), { truth: row });
    explained.textContent = `Image ${numbers[list[now]]}: ${classes[row]}, read as ${classes[col]}.`;
  }
  /** The pictures are drawn anew after a choice: the new one gets the focus back. */
  const focusPicture = (i) => queueMicrotask(() => gallery.children[i]?.focus({ preventScroll: true }));
  const runnersUp = (p, col) => [col, p.reduce((best, v, c) => (c !== col && (best < 0 || v > p[best]) ? c : best), -1)];

  return ui.start();
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const fraction = (part, whole) => (whole ? part / whole : null);
const short = (permille) => (permille / 1000).toFixed(2);
/** A share as whole per cents; what is not quite all is not called 100. */
function percent(part, whole) {
  if (!whole) return "–";
  const rounded = Math.round(100 * part / whole);
  return `${rounded === 100 && part < whole ? 99 : rounded}`;
}

export default { render };
