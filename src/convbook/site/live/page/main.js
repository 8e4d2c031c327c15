// Makes the cells of a page run: `settings` and `workerSource` are put in front of this text when the site is built.

import { Cell } from "./cell.js";
import { Python } from "./python.js";
import { Storage } from "./storage.js";

const base = document.currentScript.src.replace(/[^/]*$/, "");
const fromFiles = location.protocol === "file:";
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

class Page {
  constructor(marks) {
    this.base = base;
    this.storage = new Storage();
    this.python = new Python({
      ...settings, fromPage: fromFiles, scripts: `${base}${settings.folder}/scripts/`,
      base: fromFiles ? "https://page.invalid/" : `${base}${settings.folder}/`, // the first is never asked
    }, workerSource, (python) => this.showState(python));
    this.python.forgotten = () => { for (const cell of this.cells) cell.forget(); };
    const places = [...document.querySelectorAll("div.cell")].filter((place) => place.querySelector(".cell_input pre"));
    this.cells = [];
    places.forEach((place, i) => this.cells.push(new Cell(this, place, i + 1, markOf(place, marks))));
    this.findExercises();
    this.drawBar();
  }

  // --- Which cells are run -------------------------------------------------------------------------------------------

  runAbove(cell, andThis = false) {
    const batch = {};
    for (const each of this.cells.slice(0, cell.number - 1)) {
      if (!each.isSolution && each.runs) each.run(batch);
    }
    if (andThis) cell.run(batch);
  }

  // A cell that checks the answer of the one above it makes both of them an exercise. Its stub is open for editing as
  // soon as it comes into view.
  findExercises() {
    const inView = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        inView.unobserve(target);
        this.cells.find((cell) => cell.place === target).open(false);
      }
    }, { rootMargin: "200px" });
    this.cells.forEach((cell, i) => {
      const above = this.cells[i - 1];
      if (cell.isSolution) cell.exercise = true;
      else if (above?.runs && checks(cell.book, above.book)) {
        above.exercise = cell.exercise = true;
        cell.offerHints(/^check\("([^"]+)"/.exec(cell.book)?.[1]);
        inView.observe(above.place);
      }
    });
  }

  // What a job needs to know in order to say which cells must run before it.
  codesAbove(cell, code) {
    const above = this.cells.slice(0, cell.number - 1);
    const stale = above.filter((each) => each.ranCode !== undefined && each.ranCode !== each.code);
    return {
      codes: [...above.map((each) => (each.isSolution || !each.runs ? "" : each.code)), code],
      stale: stale.map((each) => each.number - 1),
    };
  }

  // --- Help with errors ----------------------------------------------------------------------------------------------

  markError({ cell, line }) { if (cell && line) this.cells[cell - 1]?.markLine(line); }

  // Where a name that is not defined would have come from; a sentence and a button, or nothing.
  whereDefined(name, cell) {
    const from = this.cells.find((each) => each !== cell && each.number < cell.number && defines(each.code, name));
    if (!from) return null;
    const fragment = document.createDocumentFragment();
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = "Run all above, then this";
    again.addEventListener("click", () => this.runAbove(cell, true));
    fragment.append(`${name} comes from cell ${from.number}, which has not been run. `, again);
    return fragment;
  }

  // --- What Python is doing ------------------------------------------------------------------------------------------

  drawBar() {
    this.bar = document.createElement("div");
    this.bar.className = "cbl-state";
    this.bar.hidden = true;
    this.bar.innerHTML = '<span class="cbl-light" aria-hidden="true"></span><span role="status"></span>'
      + '<progress aria-label="loading Python"></progress><button type="button">Stop</button><button type="button">Restart</button>';
    [, this.stateText, this.stateProgress, this.stopButton, this.restartButton] = this.bar.children;
    this.stopButton.addEventListener("click", () => this.python.stop());
    this.restartButton.addEventListener("click", () => this.python.restart());
    this.restartButton.title = "Start Python afresh with the next Run: its variables go, your code stays";
    document.body.append(this.bar);
  }

  stopSentence() {
    return this.python.canInterrupt
      ? "Interrupt the cell; Python keeps its variables"
      : "End Python, the only way on this site: its variables go, your code stays";
  }

  showState(python) {
    const { state, loading } = python;
    this.bar.hidden = state === "off" && !python.starts;
    this.bar.dataset.state = state;
    const part = loading?.total ? `: ${megabytes(loading.done)} of ${megabytes(loading.total)} MB` : "";
    const said = {
      off: "Python has ended; the next Run starts it afresh",
      starting: loading?.doing.startsWith("starting") ? "Python is starting" : `${capital(loading?.doing ?? "")}${part}`,
      ready: "Python is ready",
      running: `Python runs cell ${python.current?.number ?? ""}`,
      stopping: "Python is being interrupted; a second Stop ends it",
    }[state];
    if (this.stateText.textContent !== said) this.stateText.textContent = said;
    this.stateProgress.hidden = state !== "starting";
    if (loading?.total) { this.stateProgress.max = loading.total; this.stateProgress.value = loading.done; }
    this.stopButton.hidden = !["running", "starting", "stopping"].includes(state);
    this.stopButton.title = this.stopSentence();
    this.restartButton.hidden = state !== "ready" && state !== "running";
  }

  cannotKeep() {
    if (this.toldOfStorage) return;
    this.toldOfStorage = true;
    const note = document.createElement("p");
    note.className = "cbl-note";
    note.setAttribute("role", "status");
    note.textContent = "This browser keeps nothing for this page: your changes are gone when it is closed.";
    this.bar.before(note);
    note.classList.add("cbl-toast");
    setTimeout(() => note.remove(), 12000);
  }
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function markOf(place, marks) {
  const tag = [...place.classList].find((name) => name.startsWith("tag_") && marks[name.slice(4)]);
  return tag ? marks[tag.slice(4)] : {};
}

const escaped = (name) => name.replace(/[$]/g, "\\$&");

function defines(code, name) {
  const n = escaped(name);
  return new RegExp(`^\\s*(?:def|class)\\s+${n}\\b|^\\s*(?:from|import)\\b[^\\n]*\\b${n}\\b|^[^=\\n#]*\\b${n}\\b[^=\\n(]*=(?!=)|^\\s*for\\b[^\\n]*\\b${n}\\b[^\\n]*\\bin\\b|^\\s*with\\b[^\\n]*\\bas\\s+${n}\\b`, "m").test(code)
    || new RegExp(`^\\s*from\\b[^\\n]*\\bimport\\s*\\([^)]*\\b${n}\\b[^)]*\\)`, "m").test(code);
}

// Whether a cell's code checks something that the other code defines.
function checks(checking, above) {
  const answer = /^\s*check\([^,]*,\s*(\w+)/m.exec(checking);
  return answer !== null && defines(above, answer[1]);
}

const page = new Page(settings.marks);
globalThis.convbookLive = page; // for tests, and for those who look
