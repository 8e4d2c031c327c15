// What differs between the book's cell and the reader's, line by line.

// The lines of both texts: ["=", line], ["-", only in the book's], ["+", only in the reader's].
export function differences(book, own) {
  const a = book.split("\n"), b = own.split("\n");
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const lines = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { lines.push(["=", a[i]]); i += 1; j += 1; }
    else if (j >= b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) { lines.push(["-", a[i]]); i += 1; }
    else { lines.push(["+", b[j]]); j += 1; }
  }
  return lines;
}

const NAMES = { "-": "the book: ", "+": "yours: " };

export function drawDifferences(book, own) {
  const pre = document.createElement("pre");
  pre.className = "cbl-changes";
  pre.tabIndex = 0;
  pre.setAttribute("aria-label", "What differs from the book's cell");
  for (const [mark, line] of differences(book, own)) {
    const row = document.createElement(mark === "-" ? "del" : mark === "+" ? "ins" : "span");
    if (NAMES[mark]) {
      const said = document.createElement("span");
      said.className = "visually-hidden";
      said.textContent = NAMES[mark];
      row.append(said);
    }
    row.append(`${{ "=": " ", "-": "−", "+": "+" }[mark]} ${line}\n`);
    pre.append(row);
  }
  return pre;
}
