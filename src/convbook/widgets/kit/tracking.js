// Following things through a film: the arithmetic of convbook.detection.tracking, which the tests
// compare it with in the browser. What is seen in a frame is a list of {box, label}.
import { centreOf, iou } from "./boxes.js";

const LEAST = 0.3; // the least overlap of a box with where a track should be
const PATIENCE = 8; // frames that a thing may be hidden for
const INERTIA = 0.7; // how much of its speed a track keeps at each step
const TINY = 1.2e-38; // an overlap of 0 is none, whatever the threshold

/** The place of the largest number of a table, the first of several: [row, column]. */
function largest(table) {
  let best = [-1, -1];
  let most = -Infinity;
  table.forEach((row, r) => row.forEach((v, c) => { if (v > most) [most, best] = [v, [r, c]]; }));
  return best;
}

/** Where a track should be in this frame, if it has kept its speed. */
const expected = ({ box, speed, last }, frame) => box.map((v, i) => v + speed[i % 2] * (frame - last));

function note(track, box, frame) {
  if (track.path.length) {
    const [now, before] = [centreOf(box), centreOf(track.box)];
    const moved = now.map((v, i) => (v - before[i]) / (frame - track.last));
    track.speed = track.path.length === 1 ? moved : track.speed.map((v, i) => INERTIA * v + (1 - INERTIA) * moved[i]);
  }
  Object.assign(track, { box, last: frame });
  track.path.push({ frame, box });
}

/**
 * Links what is seen in all frames: {ids: [[id of each], …], tracks: [{id, label, path: [{frame,
 * box}, …]}, …]}.
 */
export function linked(frames) {
  const tracks = [];
  const ids = frames.map((seen, frame) => {
    const own = seen.map(() => -1);
    const alive = tracks.filter((t) => frame - t.last <= PATIENCE + 1);
    const overlap = alive.map((t) => {
      const place = expected(t, frame);
      return seen.map(({ box, label }) => (label === t.label ? iou(place, box) : -1));
    });
    while (alive.length && seen.length) {
      const [a, i] = largest(overlap);
      if (overlap[a][i] < LEAST) break;
      note(alive[a], seen[i].box, frame);
      own[i] = alive[a].id;
      overlap[a].fill(-1);
      for (const row of overlap) row[i] = -1;
    }
    seen.forEach(({ box, label }, i) => {
      if (own[i] >= 0) return;
      const track = { id: tracks.length, label, box, last: frame, speed: [0, 0], path: [] };
      note(track, box, frame);
      tracks.push(track);
      own[i] = track.id;
    });
    return own;
  });
  return { ids, tracks };
}

/** Who crosses an upright line: [{frame, id, right}, …] in the order of frames and ids. */
export function crossings(tracks, x, least = 3) {
  const found = [];
  for (const { id, path } of tracks) {
    if (path.length < least) continue;
    const sides = path.map(({ frame, box }) => ({ frame, right: centreOf(box)[1] >= x }));
    for (let i = 1; i < sides.length; i++)
      if (sides[i].right !== sides[i - 1].right) found.push({ ...sides[i], id });
  }
  return found.sort((a, b) => a.frame - b.frame || a.id - b.id);
}

/** Which thing each found one is, −1 for none: the first chooses first, of its class. */
export function matched(seen, truth, threshold = 0.5) {
  const taken = new Set();
  return seen.map(({ box, label }) => {
    let [best, most] = [-1, Math.max(threshold, TINY)];
    truth.forEach((thing, t) => {
      if (thing.label !== label || taken.has(t)) return;
      const share = iou(box, thing.box);
      if (share >= most && (best < 0 || share > most)) [best, most] = [t, share];
    });
    if (best >= 0) taken.add(best);
    return best;
  });
}

/**
 * Where a thing got another number than it had: [{frame, thing, before, now}, …]; the truth is a
 * list of {box, label, id} for each frame.
 */
export function switches(frames, ids, truth) {
  const owner = new Map();
  const found = [];
  frames.forEach((seen, frame) => {
    const match = matched(seen, truth[frame]);
    match.forEach((t, i) => {
      if (t < 0) return;
      const [thing, now] = [truth[frame][t].id, ids[frame][i]];
      const before = owner.get(thing) ?? now;
      if (before !== now) found.push({ frame, thing, before, now });
      owner.set(thing, now);
    });
  });
  return found;
}

/** Along one axis: which cells of a mask count how much in each pixel, [[[cell, weight], …], …]. */
function between(low, high, cells, pixels) {
  const length = Math.max(high - low, 1e-9);
  return Array.from({ length: pixels }, (_, p) => {
    const place = (p + 0.5 - low) / length * cells;
    if (place < 0 || place >= cells) return [];
    const at = Math.min(Math.max(place - 0.5, 0), cells - 1);
    const first = Math.floor(at);
    return [[first, 1 - (at - first)], [first + 1, at - first]].filter(([cell, w]) => w > 0 && cell < cells);
  });
}

/**
 * A mask of cells × cells scores put into its box of a picture: 1 where it is above 0, row by row.
 */
export function pasted(scores, cells, box, [height, width]) {
  const [rows, columns] = [between(box[0], box[2], cells, height), between(box[1], box[3], cells, width)];
  const mask = new Uint8Array(height * width);
  rows.forEach((down, r) => columns.forEach((along, c) => {
    let sum = 0;
    for (const [i, a] of down) for (const [j, b] of along) sum += a * b * scores[i * cells + j];
    mask[r * width + c] = sum > 0;
  }));
  return mask;
}
