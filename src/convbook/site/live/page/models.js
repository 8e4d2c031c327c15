// Widgets that a cell has made: drawn by their own module, their state shared with Python.

const modules = new Map(); // module name -> promise of the module

export function learnModule({ module, esm, css }) {
  const address = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  modules.set(module, import(address));
  // A page that has figures of its own has the style of all of them.
  if (css && !document.querySelector('link[href*="convbook-widgets.css"]')) {
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
  }
}

// anywidget's model: values by name, listeners that are told of a change at once, and Python at the other end.
class Model {
  constructor(number, state, python) {
    Object.assign(this, { number, python, state: { ...state } });
    this.listeners = new Map();
    this.changed = new Set();
  }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (JSON.stringify(this.state[name]) === JSON.stringify(value)) return;
    this.state[name] = value;
    this.changed.add(name);
    this.fire(name);
  }
  fire(name) {
    for (const listener of this.listeners.get(`change:${name}`) ?? []) listener();
    for (const listener of this.listeners.get("change") ?? []) listener();
  }
  on(event, listener) { this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]); }
  off(event, listener) { this.listeners.set(event, (this.listeners.get(event) ?? []).filter((l) => l !== listener)); }
  // Many small moves of a slider go to Python as one.
  save_changes() {
    if (!this.python || this.timer || !this.changed.size) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      for (const name of this.changed) this.python?.send(this.number, name, this.state[name]);
      this.changed.clear();
    }, 30);
  }
  receive(values) {
    for (const [name, value] of Object.entries(values)) {
      this.state[name] = value;
      this.changed.delete(name);
      this.fire(name);
    }
  }
  leave() { this.python = null; } // Python has gone: the figure still computes by itself
}

// `below` shows what functions of Python do that watch the figure: of its last move.
export const drawWidget = async (box, { widget, module, state, html }, python, below) => {
  box.innerHTML = html;
  const place = box.querySelector(".convbook-widget");
  let model = python.models.get(widget);
  if (!model) python.models.set(widget, (model = new Model(widget, state, python)));
  let shown;
  model.show = (message) => {
    if (message.move !== shown) below.show({ clear: true });
    shown = message.move;
    below.show(message);
  };
  try {
    const { default: drawing } = await modules.get(module);
    const el = document.createElement("div");
    await drawing.render({ model, el });
    place.replaceChildren(...el.childNodes);
    place.dataset.ready = Math.round(performance.now());
  } catch (error) {
    console.error(`${module}: ${error.stack ?? error}`);
  }
};
