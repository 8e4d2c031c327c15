// Loads CodeMirror when the first cell is opened.

let loading;

export function loadEditor(base) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${base}convbook-editor.js`;
    script.onload = () => resolve(globalThis.convbookEditor.open);
    script.onerror = () => { loading = undefined; reject(new Error("convbook-editor.js is not there")); };
    document.head.append(script);
  });
  return loading;
}
