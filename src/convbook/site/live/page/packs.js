// The runtime's files on file://, where a page may load scripts and nothing else: each lies in a script, as text.

export const bytesFromScript = async (folder, name) => {
  const packs = (globalThis.convbookPacks ??= {});
  await new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${folder}${name}.js`;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${name} is missing from the site's folder`));
    document.head.append(script);
    script.remove();
  });
  const text = packs[name];
  delete packs[name];
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
};
