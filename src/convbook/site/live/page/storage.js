// The reader's own code, kept in this browser from visit to visit where the browser allows it.

const KEY = `convbook-live:${location.pathname.replace(/index\.html$/, "")}`;

// A short number that stands for a text (FNV-1a).
export function hash(text) {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return sum.toString(36);
}

export class Storage {
  constructor() {
    this.refused = false;
    this.read();
    // Another tab with the same page may have changed another cell.
    addEventListener("storage", (event) => { if (event.key === KEY) this.read(); });
  }

  read() {
    try {
      this.entries = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    } catch {
      this.refused = true;
      this.entries ??= {};
    }
  }

  // The reader's code for a cell: found by the book's code that it was made from, else by the cell's number.
  find(number, book) {
    const sum = hash(book);
    const entry = this.entries[number];
    if (entry?.book === sum) return { code: entry.code, stale: false };
    const moved = Object.values(this.entries).find((each) => each.book === sum);
    if (moved) return { code: moved.code, stale: false };
    return entry ? { code: entry.code, stale: true } : null;
  }

  // Keeps the code of a cell; null forgets it. Returns whether the browser took it.
  keep(number, book, code) {
    this.read();
    if (code === null) delete this.entries[number];
    else this.entries[number] = { book: hash(book), code };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.entries));
      // Where a page may keep nothing, the site puts something that forgets in the place of the browser's storage.
      return localStorage instanceof globalThis.Storage;
    } catch {
      this.refused = true;
      return false;
    }
  }
}
