// One cell of the page: its code, which can be changed, its buttons, what it says, and what it shows.

import { drawDifferences } from "./changes.js";
import { loadEditor } from "./editor.js";
import { Output } from "./output.js";

const button = (text, title, action) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  if (title) made.title = title;
  made.addEventListener("click", action);
  return made;
};

const seconds = (s) => (s < 0.1 ? "less than 0.1 s" : s < 10 ? `${s.toFixed(1)} s` : `${Math.round(s)} s`);

export class Cell {
  // `place` is the cell's element; `mark` what the book says of it (cannot, warning: a sentence), or {}.
  constructor(page, place, number, mark) {
    Object.assign(this, { page, place, number, mark });
    this.input = place.querySelector(".cell_input");
    this.highlight = this.input.querySelector(".highlight");
    this.pre = this.input.querySelector("pre");
    this.book = this.pre.textContent.replace(/\n$/, "");
    this.own = null; // the reader's code, where it is another
    this.stored = place.querySelector(":scope > .cell_output");
    this.exercise = false; // whether it is an exercise's: then the cells that it needs run before it
    this.ranCode = undefined; // what this Python has run of it
    this.draw();
    const kept = page.storage.find(number, this.book);
    if (kept && kept.code !== this.book) {
      this.own = kept.code;
      this.stale = kept.stale;
      this.open(false);
    }
  }

  get code() { return this.own ?? this.book; }
  get isSolution() { return Boolean(this.place.closest(".solution")); }
  get runs() { return !this.mark.cannot; }

  draw() {
    this.bar = document.createElement("div");
    this.bar.className = "cbl-bar";
    this.bar.setAttribute("role", "group");
    this.bar.setAttribute("aria-label", `Cell ${this.number}`);
    this.runButton = button("Run", "Run this cell (Shift-Enter)", () => this.run());
    this.runButton.classList.add("cbl-run");
    this.stopButton = button("Stop", "", () => this.page.python.drop(this.number) || this.page.python.stop());
    this.stopButton.hidden = true;
    this.editButton = button("Edit", "Change this cell's code", () => this.open(true));
    this.aboveButton = button("Run all above", "Run every cell above this one, from the top", () => this.page.runAbove(this));
    this.differsButton = button("What differs", "Compare with the book's cell", () => this.toggleDifferences());
    this.backButton = button("Book’s code", "Back to the book's code; yours is forgotten", () => this.reset());
    this.outputButton = button("Book’s output", "Show what the book's cell gave", () => this.toggleStored());
    this.status = document.createElement("span");
    this.status.className = "cbl-said";
    this.label = document.createElement("span");
    this.label.className = "cbl-number";
    this.label.textContent = `cell ${this.number}`;
    for (const each of [this.differsButton, this.backButton, this.outputButton]) each.hidden = true;
    this.differsButton.setAttribute("aria-expanded", "false");
    this.outputButton.setAttribute("aria-pressed", "false");
    if (this.number === 1) this.aboveButton.hidden = true;
    this.bar.append(this.runButton, this.stopButton, this.editButton, this.aboveButton, this.differsButton,
      this.backButton, this.outputButton, this.status, this.label);
    (this.input.closest("details") ?? this.input).after(this.bar);
    const note = this.mark.cannot ?? this.mark.warning;
    if (note) {
      const line = document.createElement("p");
      line.className = "cbl-note";
      line.textContent = note;
      this.bar.after(line);
    }
    if (!this.runs) this.runButton.hidden = this.editButton.hidden = true;
    else {
      this.input.classList.add("cbl-code");
      this.highlight.addEventListener("click", (event) => {
        if (!event.target.closest("button") && getSelection().isCollapsed) this.open(true);
      });
    }
    this.place.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.shiftKey && !event.defaultPrevented && this.runs) { event.preventDefault(); this.run(); }
    });
  }

  // --- The code ------------------------------------------------------------------------------------------------------

  // Opens the cell for editing; the editor is loaded with the first cell that is opened.
  async open(focus) {
    if (this.editor) { if (focus) this.editor.focus(); return; }
    if (this.opening) return;
    this.opening = true;
    const details = this.input.closest("details");
    if (focus && details) details.open = true;
    let openEditor;
    try {
      openEditor = await loadEditor(this.page.base);
    } catch (error) {
      this.say(`The editor could not be loaded: ${error.message}`);
      this.opening = false;
      return;
    }
    const box = document.createElement("div");
    box.className = "cbl-editor highlight"; // Pygments' colours are those of a .highlight
    this.highlight.after(box);
    this.highlight.hidden = true;
    this.editor = openEditor({
      parent: box, code: this.code, label: `Python code of cell ${this.number}`,
      run: () => this.run(), changed: (code) => this.changed(code), leave: () => this.runButton.focus(),
    });
    this.opening = false;
    this.editButton.hidden = true;
    if (focus) this.editor.focus();
    this.showEdited();
  }

  changed(code) {
    const own = code === this.book ? null : code;
    if (own === this.own) return;
    this.own = own;
    this.stale = false;
    this.markLine(null);
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.keep(), 300);
    this.showEdited();
  }

  keep() {
    clearTimeout(this.keeping);
    if (!this.page.storage.keep(this.number, this.book, this.own)) this.page.cannotKeep();
  }

  reset() {
    this.own = null;
    this.stale = false;
    this.editor?.set(this.book);
    this.keep();
    this.showEdited();
    this.runButton.focus();
  }

  showEdited() {
    const edited = this.own !== null;
    this.place.classList.toggle("cbl-edited", edited);
    this.differsButton.hidden = this.backButton.hidden = !edited;
    if (this.stale) this.say("The book’s cell has changed since you changed it.");
    if (this.differences) {
      if (edited) this.drawDifferences(); else this.toggleDifferences();
    }
  }

  toggleDifferences() {
    if (this.differences) { this.differences.remove(); this.differences = null; } else this.drawDifferences();
    this.differsButton.setAttribute("aria-expanded", String(Boolean(this.differences)));
  }

  drawDifferences() {
    const drawn = drawDifferences(this.book, this.code);
    if (this.differences) this.differences.replaceWith(drawn); else this.bar.after(drawn);
    this.differences = drawn;
  }

  // Marks a line of the code, counted from 1, or none.
  markLine(line) {
    this.editor?.mark(line);
    this.marker?.remove();
    this.marker = null;
    if (!line || this.editor) return;
    this.marker = document.createElement("div");
    this.marker.className = "cbl-marker";
    const style = getComputedStyle(this.pre);
    const height = this.pre.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const each = height / this.book.split("\n").length;
    this.marker.style.top = `${parseFloat(style.paddingTop) + (line - 1) * each}px`;
    this.marker.style.height = `${each}px`;
    this.pre.append(this.marker);
  }

  // --- Running -------------------------------------------------------------------------------------------------------

  // `batch` is what several cells have in common that are run together: after an error the rest of them is left out.
  run(batch) {
    if (this.waiting || !this.runs) return;
    this.keep();
    this.wait();
    if (this.exercise && !batch) this.runAfterWhatItNeeds(this.code, (all) => this.queue(all));
    else this.queue(batch);
  }

  wait() {
    this.waiting = true;
    this.say("waits");
    this.stopButton.title = this.page.stopSentence();
    this.exchange(this.runButton, this.stopButton);
  }

  // Shows one button in the place of another, which may have the focus of a reader without a mouse.
  exchange(old, other) {
    const focused = document.activeElement === old;
    old.hidden = true;
    other.hidden = false;
    if (focused) other.focus({ preventScroll: true });
  }

  queue(batch) {
    this.queuedCode = this.code;
    this.page.python.run({
      code: this.code, number: this.number, batch,
      started: () => this.started(),
      show: (message) => this.show(message),
      ended: (result) => this.ended(result),
    });
  }

  // Runs the cells above whose names the code uses, as far as they have not run as they are now, and then goes on.
  runAfterWhatItNeeds(code, goOn) {
    this.page.python.run({
      code, number: this.number, ...this.page.codesAbove(this, code), started() {}, show() {},
      ended: (result) => {
        if (!result.places) return this.ended(result);
        const batch = {};
        for (const place of result.places) this.page.cells[place].run(batch);
        return goOn(batch);
      },
    });
  }

  // --- Hints of an exercise ------------------------------------------------------------------------------------------

  offerHints(exercise) {
    if (!exercise) return;
    this.nextHint = 1;
    this.hintButton = button("Hint", "The exercise's next hint", () => this.showHint(exercise));
    this.stopButton.after(this.hintButton);
    this.place.classList.add("cbl-check");
  }

  // The hint stands below what the check said.
  showHint(exercise) {
    if (this.waiting) return;
    this.wait();
    const code = `hint("${exercise}", ${this.nextHint})`;
    const output = this.spare();
    this.runAfterWhatItNeeds(code, (batch) => this.page.python.run({
      code, number: this.number, batch, started() {}, show: (message) => output.show(message),
      ended: (result) => {
        this.ended(output.empty ? result : { ...result, hinted: true });
        if (output.empty) return;
        this.hint?.remove();
        this.hint = output.element;
        this.place.append(this.hint);
        const [, n, all] = /^Hint (\d+) of (\d+)/.exec(this.hint.textContent) ?? [0, 1, 1];
        this.nextHint = (Number(n) % Number(all)) + 1;
      },
    }));
  }

  // --- What it says and shows ----------------------------------------------------------------------------------------

  started() {
    this.page.cells.forEach((cell) => cell.markLine(null));
    this.output = null;
    this.began = performance.now();
    this.place.classList.add("cbl-running");
    const tick = () => this.say(`runs, ${seconds((performance.now() - this.began) / 1000)}`);
    this.say("runs");
    this.ticking = setInterval(tick, 1000);
  }

  // The first thing that a cell shows takes the place of what was shown before.
  show(message) {
    if (message.esm) { this.spare().show(message); return; }
    if (!this.output) this.replaceOutput();
    this.output.show(message);
    if (message.error) this.page.markError(message.error);
  }

  spare() {
    const alt = this.own === null ? this.stored?.querySelector("img")?.alt : "";
    return new Output(this.page.python, (name) => this.page.whereDefined(name, this), alt);
  }

  replaceOutput() {
    this.output = this.spare();
    this.ownOutput?.remove();
    this.ownOutput = this.output.element;
    if (this.stored) {
      this.stored.hidden = true;
      this.outputButton.hidden = false;
      this.outputButton.setAttribute("aria-pressed", "false");
    }
    this.place.append(this.ownOutput);
    if (this.hint) this.place.append(this.hint); // stays below
  }

  toggleStored() {
    this.stored.hidden = !this.stored.hidden;
    this.ownOutput.hidden = !this.stored.hidden;
    this.outputButton.setAttribute("aria-pressed", String(!this.stored.hidden));
  }

  ended(result) {
    clearInterval(this.ticking);
    const began = this.began;
    this.began = undefined;
    this.waiting = false;
    this.place.classList.remove("cbl-running");
    this.exchange(this.stopButton, this.runButton);
    if (result.dropped) return this.say("not run");
    if (result.stopped) return this.say(began || this.ranCode === undefined
      ? "stopped; Python starts afresh with the next Run, without the variables of before" : "not run");
    if (result.broken !== undefined) {
      this.replaceOutput();
      const reason = result.broken.trim().split("\n").pop();
      this.output.say(result.loading
        ? `Python could not be loaded (${reason}). Is there a connection to the site? The next Run tries again.`
        : `Python broke down (${reason}). The next Run starts it afresh, without the variables of before.`);
      return this.say(result.loading ? "not run" : "broke down");
    }
    if (result.hinted) return this.say("");
    if (!this.output) this.replaceOutput(); // it shows nothing, and so nothing is shown
    this.ranCode = this.queuedCode;
    this.failed = !result.ended;
    this.say(result.ended ? `took ${seconds(result.seconds)}` : `ended with an error after ${seconds(result.seconds)}`);
  }

  // Python has been started afresh: what ran before counts no more.
  forget() { this.ranCode = undefined; }

  say(text) { this.status.textContent = text; }
}
