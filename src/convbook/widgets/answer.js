// AnswerGrid: an empty number, row or matrix that the reader fills in. The page holds no answers,
// only hashes of them.
import { build, shapeOf } from "./kit/arithmetic.js";
import { h, live } from "./kit/elements.js";
import { frame, holdHeight } from "./kit/frame.js";
import { matrix } from "./kit/matrix.js";
import { readNumber } from "./kit/numbers.js";
import { fmt } from "./kit/text.js";
import "./answer.css";

const PAUSE = 800; // milliseconds without a key after which a number counts as typed to its end
const SIGNS = { right: "✓", wrong: "✗", unclear: "?" };

/** 32-bit FNV-1a of a text's UTF-8 bytes, as in convbook.widgets.answer. */
export function fnv1a(text) {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value.toString(16).padStart(8, "0");
}

const MOST = 1e9; // numbers stay below, as in Python
const read = (text) => readNumber(text, MOST);

function render({ model, el, memory }) {
  const get = (key) => model.get(key);
  const title = `Calculate it yourself: ${get("label")}`;
  const ui = frame({ model, el, title, keys: ["question", "values"], draw, onreset: empty });
  const accepted = get("accepted");
  const [rows, cols] = shapeOf(accepted);
  const rounded = accepted.flat().some((hashes) => hashes.length > 1);
  const axes = Array.isArray(get("values")) ? (Array.isArray(get("values")[0]) ? 2 : 1) : 0;

  // In the model the values have the answer's shape; here they are always a matrix.
  const asMatrix = (values) => [[[values]], [values], values][axes];
  const asAnswer = (cells) => [cells[0][0], cells[0], cells][axes];

  const typed = build(rows, cols, () => ""); // the reader's own text, such as 7/3
  let typing = null; // the cell that is being typed in: nothing is called wrong before its end
  let timer = null;

  const grid = matrix({
    symbol: get("label"), label: `Your answer for ${get("label")}`, form: true,
    onedit(r, c, text) {
      const { value } = read(text);
      typed[r][c] = text;
      typing = [r, c];
      clearTimeout(timer);
      timer = setTimeout(finish, PAUSE);
      const next = structuredClone(asMatrix(get("values")));
      next[r][c] = Number.isFinite(value) ? value : null;
      ui.set({ values: asAnswer(next) });
      memory?.write(typed);
      draw(); // a text that is no number changes nothing in the model
    },
  });
  const fields = () => [...grid.el.querySelectorAll("input")];
  grid.el.addEventListener("focusout", finish);
  grid.el.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    finish();
    const all = fields();
    all[all.indexOf(event.target) + 1]?.focus();
  });

  const question = h("p", { class: "cb-question" });
  const summary = h("div", { class: "cb-summary" });
  const hints = h("ul", { class: "cb-hints" });
  const remarks = h("div", { class: "cb-legend" });
  const answer = live("cb-feedback");
  answer.append(summary, hints);
  ui.add(question, h("div", { class: `cb-stage cb-form cb-axes-${axes}` }, grid.el), answer, remarks);
  const hold = holdHeight(answer);

  function finish() {
    clearTimeout(timer);
    typing = null;
    draw();
  }

  function empty() {
    for (const row of typed) row.fill("");
    memory?.write(null);
    ui.set({ values: asAnswer(build(rows, cols, () => null)) });
    finish();
  }

  function draw() {
    const values = asMatrix(get("values"));
    const hash = (r, c) => fnv1a(`${get("salt")}:${r}:${c}:${Math.floor(values[r][c] * 10000 + 0.5)}`);
    const same = (r, c) => Object.is(read(typed[r][c]).value || 0, values[r][c] || 0);
    const text = (r, c) => (values[r][c] === null || same(r, c) ? typed[r][c] : fmt(values[r][c], 4));
    const verdict = (r, c) => {
      if (values[r][c] !== null && accepted[r][c].includes(hash(r, c))) return "right";
      if (typing?.[0] === r && typing?.[1] === c) return "";
      if (values[r][c] !== null) return "wrong";
      return typed[r][c].trim() ? "unclear" : "";
    };
    const verdicts = build(rows, cols, verdict);
    const cells = build(rows, cols, (r, c) => ({ r, c, verdict: verdicts[r][c] })).flat();
    const count = (name) => cells.filter((cell) => cell.verdict === name).length;

    question.textContent = get("question");
    question.hidden = !get("question");
    grid.show(values, {
      mark: (r, c) => verdicts[r][c],
      note: (r, c) => SIGNS[verdicts[r][c]] ?? "",
      text,
      scale: Infinity, // no colours but those of right and wrong
      shape: ["=", cols === 1 ? "1 number" : `${cols} numbers`, undefined][axes],
    });
    fields().forEach((field, k) => {
      const { verdict: found } = cells[k];
      field.setAttribute("aria-label", [nameOf(cells[k]), found].filter(Boolean).join(": "));
      if (found === "wrong" || found === "unclear") field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    });

    const done = count("right") === cells.length;
    const started = cells.some((cell) => cell.verdict);
    summary.className = `cb-summary${started ? " started" : ""}${done ? " cb-good" : ""}`;
    const invitation = ["Type a number, then press Enter.", "Fill in the cells; each one is checked at once."][axes && 1];
    const progress = axes ? `${count("right")} of ${cells.length} right` : "✗ Not yet.";
    const line = done ? "✓ All right." : started ? progress : invitation;
    const found = [...readings(cells), ...hintLines(cells, hash)];
    const said = [line, ...found].join("\n");
    if (answer.dataset.said !== said) { // the same text once more would be read out once more
      answer.dataset.said = said;
      summary.textContent = line;
      hints.replaceChildren(...found.map((hint) => h("li", {}, hint)));
    }
    remarks.textContent = [
      rounded ? "Where a number is not whole, two decimals or a fraction such as 7/3 will do." : "",
      axes && found.length ? `${axes === 2 ? "Rows and columns" : "Entries"} count from 0.` : "",
    ].filter(Boolean).join(" ");
    hold(started);
  }

  function nameOf({ r, c }) {
    return [get("label"), `${get("label")} entry ${c}`, `${get("label")} row ${r}, column ${c}`][axes];
  }

  /** The cells in words: "row 0, column 1 and row 1, column 0". */
  function places(cells) {
    const names = cells.map(({ r, c }) => (axes === 2 ? `row ${r}, column ${c}` : `entry ${c}`));
    return names.length < 2 ? names.join("") : `${names.slice(0, -1).join("; ")} and ${names.at(-1)}`;
  }

  /** How separators were read, such as "“9,920” is read as 9920." */
  function readings(cells) {
    const said = cells.filter(({ verdict }) => verdict && verdict !== "unclear")
      .map(({ r, c }) => read(typed[r][c]).said).filter(Boolean);
    return [...new Set(said)];
  }

  /** One line for each hint that fits, with the cells it is about. */
  function hintLines(cells, hash) {
    const wrong = cells.filter((cell) => cell.verdict === "wrong");
    const unclear = cells.filter((cell) => cell.verdict === "unclear");
    // Where two typical mistakes give the same number, the one that explains more of the cells is
    // meant.
    const fits = (mistake, { r, c }) => mistake.accepted[r][c].includes(hash(r, c));
    const likely = get("mistakes")
      .map((mistake) => ({ mistake, count: wrong.filter((cell) => fits(mistake, cell)).length }))
      .sort((a, b) => b.count - a.count);
    const lines = new Map();
    for (const cell of wrong) {
      const hint = likely.find(({ mistake }) => fits(mistake, cell))?.mistake.hint;
      lines.set(hint, [...(lines.get(hint) ?? []), cell]);
    }
    const result = [...lines].filter(([hint]) => hint)
      .map(([hint, about]) => (axes ? `${capital(places(about))}: ${hint}` : hint));
    if (lines.has(undefined))
      result.push(axes ? `Look again at ${places(lines.get(undefined))}.` : "Look again at each step of the calculation.");
    for (const cell of unclear) {
      const { said } = read(typed[cell.r][cell.c]);
      result.push(axes ? `${capital(places([cell]))}: ${said}` : said);
    }
    return result;
  }

  // What was typed on this page before, where the browser keeps it.
  const kept = memory?.read();
  if (kept) {
    kept.forEach((line, r) => line.forEach((text, c) => { typed[r][c] = text; }));
    const numbers = build(rows, cols, (r, c) => read(typed[r][c]).value);
    ui.set({ values: asAnswer(numbers.map((line) => line.map((v) => (Number.isFinite(v) ? v : null)))) });
  }
  return ui.start({ stop: () => clearTimeout(timer) });
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

export default { render };
