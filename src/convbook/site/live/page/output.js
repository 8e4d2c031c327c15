// What a cell prints, draws and shows, in the same markup as the book's stored outputs.

import { drawWidget, learnModule } from "./models.js";

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

export class Output {
  constructor(python, helpWithName, alt) {
    Object.assign(this, { python, helpWithName, alt: alt || "The figure that this cell draws" });
    this.element = make("div", "cell_output docutils container cbl-output");
    this.bars = new Map();
  }

  get empty() { return !this.element.childNodes.length; }

  show(message) {
    if (message.stream) return this.print(message.stream, message.text);
    if (message.progress) return this.move(message.progress);
    if (message.module && message.esm) return learnModule(message);
    if (message.clear) { this.bars.clear(); this.element.replaceChildren(); return; }
    this.pre = null;
    if (message.error) this.fail(message.error);
    else if (message.widget) this.widget(message);
    else this.picture(message);
  }

  // A box of text, as the book's: a stream of printed text, a value, or a traceback.
  text(kind, text) {
    const box = make("div", `output ${kind} notranslate`);
    const highlight = make("div", "highlight");
    const pre = make("pre", "", text);
    pre.tabIndex = 0; // it may scroll sideways
    highlight.append(pre);
    box.append(highlight);
    this.element.append(box);
    return pre;
  }

  print(name, text) {
    if (!this.pre || this.stream !== name) {
      this.pre = this.text(name === "stdout" ? "stream highlight-myst-ansi" : "stderr stream highlight-myst-ansi", "");
      this.stream = name;
    }
    this.pre.append(text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, ""));
    // A carriage return begins the line anew, as on a terminal.
    if (text.includes("\r")) this.pre.textContent = this.pre.textContent.replace(/[^\n]*\r(?!\n)/g, "");
  }

  add(kind, fill) {
    const box = make("div", `output ${kind}`);
    this.element.append(box);
    fill(box);
  }

  widget(message) {
    const below = new Output(this.python, this.helpWithName, this.alt);
    this.add("text_html", (box) => drawWidget(box, message, this.python, below));
    this.element.append(below.element);
  }

  picture({ mime, data }) {
    if (mime === "text/html") this.add("text_html", (box) => { box.innerHTML = data; });
    else if (mime === "text/plain") this.text("text_plain highlight-myst-ansi", data);
    else {
      const image = make("img", mime === "image/png" ? "output image_png" : "output image_svg");
      image.alt = this.alt;
      image.src = mime === "image/png"
        ? `data:image/png;base64,${data}` : `data:image/svg+xml;charset=utf-8,${encodeURIComponent(data)}`;
      this.element.append(image);
    }
  }

  move({ id, done, total, text, ended }) {
    let bar = this.bars.get(id);
    if (!bar) {
      bar = { box: make("div", "cbl-progress"), line: make("progress"), text: make("span") };
      bar.line.setAttribute("aria-label", "progress");
      bar.box.append(bar.line, bar.text);
      this.element.append(bar.box);
      this.bars.set(id, bar);
      this.pre = null;
    }
    if (total) { bar.line.max = total; bar.line.value = done; } else if (ended) { bar.line.max = bar.line.value = 1; }
    bar.text.textContent = text;
  }

  fail(error) {
    const pre = this.text("traceback highlight-ipythontb", error.text);
    pre.classList.add("cbl-error");
    const advice = [error.advice, error.name && this.helpWithName(error.name)].filter(Boolean);
    for (const each of advice) {
      const line = make("p", "cbl-advice");
      line.append(each);
      this.element.append(line);
    }
  }

  say(sentence) { this.element.append(make("p", "cbl-advice", sentence)); }
}
