// Brings the explorers of a static page to life: the same modules as in Jupyter, with a small
// stand-in for the model. The modules' exports (modules[file name]) are put in front of this text
// when the site is built.

// What a module needs of anywidget's model: values by name, and listeners that are told of a change
// at once.
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

/**
 * What a figure may keep until the reader's next look at the page in this tab: {read(),
 * write(value)}. It belongs to the figure's first state, which a new edition of the page may
 * change. Where there is no storage nothing is kept.
 */
function memoryOf(place, index) {
  let hash = 0;
  for (const letter of place.dataset.state) hash = Math.imul(hash, 31) + letter.charCodeAt(0) | 0;
  const key = `convbook ${location.pathname} ${index} ${hash}`;
  return {
    read() {
      try {
        return JSON.parse(sessionStorage.getItem(key));
      } catch {
        return null;
      }
    },
    write(value) {
      try {
        if (value === null) sessionStorage.removeItem(key);
        else sessionStorage.setItem(key, JSON.stringify(value));
      } catch {
        // no storage, or no room in it
      }
    },
  };
}

async function bringToLife(place, index) {
  const { default: widget } = modules[place.dataset.module];
  const model = new Model(JSON.parse(place.dataset.state));
  const el = document.createElement("div");
  await widget.render({ model, el, memory: memoryOf(place, index) });
  place.replaceChildren(...el.childNodes);
  place.dataset.ready = Math.round(performance.now());
}

// The script is loaded with `defer`, ahead of the others: the page is parsed, and nothing keeps the
// figures waiting.
document.querySelectorAll(".convbook-widget[data-module]").forEach((place, index) => {
  bringToLife(place, index).catch((error) => console.error(`${place.dataset.module}: ${error.stack ?? error}`));
});
