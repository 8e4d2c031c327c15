// Contours: lines along which a map reaches a threshold.

/**
 * Where the numbers of a map of h × w reach `level`, as the `d` of an SVG path. A number stands at
 * the middle of its cell, (col + ½, row + ½); beyond the edge all are below the level.
 */
export function contourPath(values, h, w, level) {
  const at = (r, c) => (r < 0 || c < 0 || r >= h || c >= w ? level - 1 : values[r * w + c]);
  const inside = (r, c) => at(r, c) >= level;
  // Between two neighbours, where a straight line from one to the other reaches the level.
  const crossing = (r0, c0, r1, c1) => {
    const [a, b] = [at(r0, c0), at(r1, c1)];
    const share = a === b ? 0.5 : Math.min(1, Math.max(0, (level - a) / (b - a)));
    return [c0 + (c1 - c0) * share + 0.5, r0 + (r1 - r0) * share + 0.5];
  };
  // Around each corner point of the cells: its four neighbours, clockwise, and the sides between.
  const next = new Map(); // from the side that a line enters by to the one that it leaves by
  const point = new Map();
  for (let r = -1; r < h; r++)
    for (let c = -1; c < w; c++) {
      const corners = [[r, c], [r, c + 1], [r + 1, c + 1], [r + 1, c]];
      const lit = corners.map(([row, col]) => inside(row, col));
      if (lit.every((v) => v === lit[0])) continue;
      const sides = [`h${r},${c}`, `v${r},${c + 1}`, `h${r + 1},${c}`, `v${r},${c}`];
      const starts = []; // clockwise, the inside ends here …
      const ends = []; // … and begins here
      corners.forEach((corner, k) => {
        const other = (k + 1) % 4;
        if (lit[k] === lit[other]) return;
        point.set(sides[k], crossing(...corner, ...corners[other]));
        (lit[k] ? starts : ends).push(k);
      });
      // What is inside stays on the same hand; two opposite corners are kept apart.
      for (const k of starts) {
        const end = ends.length === 1 ? ends[0] : ends.find((e) => (e + 1) % 4 === k);
        next.set(sides[k], sides[end]);
      }
    }
  let d = "";
  for (const first of point.keys()) {
    if (!next.has(first)) continue;
    const line = [];
    for (let side = first; next.has(side);) {
      line.push(point.get(side).map((v) => Number(v.toFixed(2))).join(" "));
      const following = next.get(side);
      next.delete(side);
      side = following;
    }
    d += `M${line.join("L")}Z`;
  }
  return d;
}
