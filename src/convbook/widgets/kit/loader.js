// What each figure in a notebook carries: it fetches the parts that the figures share, and starts.

async function partsOf(model) {
  const ids = model.get("_parts").map((reference) => reference.replace("IPY_MODEL_", ""));
  return Promise.all(ids.map((id) => model.widget_manager.get_model(id)));
}

/** Adds a sheet to the document, unless it is there. */
function addStyle(name, text) {
  const there = [...document.querySelectorAll("style[data-convbook]")];
  if (there.some((style) => style.dataset.convbook === name && style.textContent === text)) return;
  const style = document.createElement("style");
  style.dataset.convbook = name;
  style.textContent = text;
  document.head.append(style);
}

async function render({ model, el }) {
  const parts = (await partsOf(model)).map((part) => ({ name: part.get("name"), text: part.get("text") }));
  const scripts = parts.filter(({ name }) => name.endsWith(".js"));
  for (const { name, text } of parts) if (name.endsWith(".css")) addStyle(name, text);
  const code = `const modules = {};\n${scripts.map(({ text }) => text).join("")}export default modules;`;
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const { default: modules } = await import(address);
  URL.revokeObjectURL(address);
  return modules[scripts.at(-1).name].default.render({ model, el });
}

/**
 * JupyterLab takes no key for a command while the focus is on an element that asks for all keys, as
 * the figures' do. A key with Ctrl or ⌘ is a command all the same: Ctrl+S saves.
 */
function letCommandsPass({ ctrlKey, metaKey, target }) {
  if (!(ctrlKey || metaKey) || !target.closest?.(".convbook-widget")) return;
  const name = "data-lm-suppress-shortcuts";
  const asking = target.closest(`[${name}]`);
  if (!asking) return;
  asking.removeAttribute(name);
  setTimeout(() => asking.setAttribute(name, "true"));
}
if (!window.convbookListens) {
  window.convbookListens = true;
  window.addEventListener("keydown", letCommandsPass, true);
}

export default { render };
