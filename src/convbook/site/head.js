// Stands in front of all other scripts. A frame without rights of its own ("sandbox") has no
// storage, and scripts of the theme and of the search stop when they ask for it: there they get one
// that forgets.
for (const name of ["localStorage", "sessionStorage"]) {
  try {
    window[name].getItem("");
  } catch {
    const kept = new Map();
    const value = {
      getItem: (key) => kept.get(String(key)) ?? null,
      setItem: (key, text) => { kept.set(String(key), String(text)); },
      removeItem: (key) => { kept.delete(String(key)); },
      clear: () => kept.clear(),
    };
    Object.defineProperty(window, name, { value });
  }
}
