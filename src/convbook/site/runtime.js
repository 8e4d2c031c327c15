// Brings the explorers of a static page to life: the same modules as in Jupyter, with a small stand-in for the model.
// The modules' exports (modules[file name]) are put in front of this text when the site is built.

// What a module needs of anywidget's model: values by name, and listeners that are told of a change at once.
class Model {
  constructor(state) { this.state = state; this.listeners = new Map(); }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (JSON.stringify(this.state[name]) === JSON.stringify(value)) return;
    this.state[name] = value;
    for (const listener of this.listeners.get(`change:${name}`) ?? []) listener();
  }
  on(event, listener) { this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]); }
  off(event, listener) { this.listeners.set(event, (this.listeners.get(event) ?? []).filter((l) => l !== listener)); }
  save_changes() {}
}

async function bringToLife(place) {
  const { default: widget } = modules[place.dataset.module];
  const model = new Model(JSON.parse(place.dataset.state));
  const el = document.createElement("div");
  await widget.render({ model, el });
  place.replaceChildren(...el.childNodes);
  place.dataset.ready = Math.round(performance.now());
}

// The script is loaded with `defer`, ahead of the others: the page is parsed, and nothing keeps the figures waiting.
for (const place of document.querySelectorAll(".convbook-widget[data-module]")) {
  bringToLife(place).catch((error) => console.error(`${place.dataset.module}: ${error.stack ?? error}`));
}
