// VideoExplorer: a film plays; boxes are suppressed, linked to tracks and counted in the page.
import { clamp } from "./kit/arithmetic.js";
import { board, rectangle } from "./kit/board.js";
import { areaOf, centreOf, suppression } from "./kit/boxes.js";
import { checkbox, player, slider } from "./kit/controls.js";
import { h, live, svg } from "./kit/elements.js";
import { frame } from "./kit/frame.js";
import { unpack } from "./kit/packed.js";
import { picture } from "./kit/pictures.js";
import { onDrag } from "./kit/pointing.js";
import { fmt } from "./kit/text.js";
import { crossings, linked, matched, pasted, switches } from "./kit/tracking.js";
import "./video.css";

const KEYS = ["frame", "least", "threshold", "across", "masks", "trails", "truth", "line", "chosen"];
const ACROSS = 0.6; // boxes of any class that overlap by more mean the same thing
const VEIL = 130; // of 255: how much a mask covers
const COLOURS = ["#ff6b6b", "#4db3ff", "#ffd84a", "#4ee07c", "#d59bff", "#ff9c3f", "#3fe0d0", "#ff8ad1"];
const [LINE, LETTER] = [3.6, 2.1]; // how high and how wide a letter of a name is, in pixels of the film
const ROW = 9; // pixels of a track in the strip

const colourOf = (id) => COLOURS[id % COLOURS.length];
const redGreenBlue = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

function render({ model, el }) {
  const film = model.get("film");
  const { height, width, names, columns } = film;
  const candidates = readFilm(film);
  const count = candidates.length;
  const truth = film.truth?.map(({ boxes, labels, ids }) => boxes.map((box, i) => ({ box, label: labels[i], id: ids[i] })));
  const rows = Math.ceil(count / columns);
  const get = (key) => model.get(key);
  const ui = frame({ model, el, title: "A film, frame by frame", keys: KEYS, draw, walks: ["frame", "chosen", "line"] });
  const now = () => clamp(get("frame"), 0, count - 1);

  // --- The parts of the figure ---
  const sheet = h("div", { class: "cb-video-sheet" });
  sheet.style.backgroundImage = `url("${film.url}")`;
  sheet.style.backgroundSize = `${100 * columns}% ${100 * rows}%`;
  const veil = h("canvas", { class: "cb-video-veil", width, height, "aria-hidden": "true" });
  const easel = board({
    label: "The film with what is found; the arrow keys go from frame to frame, a click chooses a thing",
    onpoint: (y, x) => ui.set({ chosen: under(y, x) }),
    onarrow: (down, along) => go(now() + (along || down)),
  });
  easel.el.insertBefore(veil, easel.drawing);
  easel.el.insertBefore(sheet, veil);
  const go = (to) => ui.set({ frame: (to + count) % count });
  const control = (key, settings) => slider({ ...settings, oninput: (v) => ui.set({ [key]: v }) });
  const sliders = {
    frame: control("frame", { label: "frame", min: 0, max: count - 1, text: (v) => `${v} of 0 to ${count - 1}` }),
    least: control("least", { label: "score from", min: 0.05, max: 1, step: 0.05 }),
    threshold: control("threshold", { label: "NMS threshold", min: 0, max: 1, step: 0.05 }),
    line: control("line", { label: "line at", min: 0, max: 1, step: 0.05, text: (v) => fmt(v * width, 1) }),
  };
  const tick = (key, text) => [key, checkbox({ text, "data-key": key, onchange: (value) => ui.set({ [key]: value }) })];
  const ticks = [tick("across", "also across classes"), tick("masks", "masks"), tick("trails", "trails"), tick("truth", "truth")]
    .filter(([key]) => truth || key !== "truth");
  const playing = player({ count: () => count, position: now, go: (to) => ui.set({ frame: to }), delay: 160 });
  ui.tools.append(...playing.els);
  const list = h("div", { class: "cb-video-list" });
  const counts = h("div", { class: "cb-video-counts" });
  const close = closer();
  const strip = svg("svg", { class: "cb-video-strip", role: "img" });
  const events = h("div", { class: "cb-video-events" });
  const remark = live("cb-remark");
  ui.add(
    h("div", { class: "cb-pictureside" }, easel.el, h("div", { class: "cb-side" }, counts, list, close.el)),
    h("div", { class: "cb-video-name" }, "All tracks, each in its colour: a stroke for every frame in which it is seen"), strip, events,
    h("div", { class: "cb-controls cb-video-controls" }, sliders.frame.el, sliders.least.el, sliders.threshold.el, sliders.line.el,
      h("div", { class: "cb-video-ticks" }, ticks.map(([, box]) => box.el))),
    remark);
  const hold = ui.hold(list, close.el);

  // --- What follows from the thresholds, in all frames at once ---
  let known = null;
  function followed() {
    const settings = JSON.stringify(["least", "threshold", "across"].map(get));
    if (known?.settings === settings) return known;
    const frames = candidates.map((all) => {
      const good = all.filter(({ score }) => score >= get("least"));
      const alone = kept(good, get("threshold"), (a, b) => a.label !== b.label);
      return get("across") ? kept(alone, ACROSS) : alone;
    });
    const { ids, tracks } = linked(frames);
    known = { settings, frames, ids, tracks, switches: truth ? switches(frames, ids, truth) : [] };
    return known;
  }
  /** The smallest thing at a place, as the number of its track; −1 for none. */
  function under(y, x) {
    const { frames, ids } = followed();
    const there = frames[now()].map(({ box }, i) => ({ box, id: ids[now()][i] }))
      .filter(({ box }) => box[0] <= y && y < box[2] && box[1] <= x && x < box[3])
      .sort((a, b) => areaOf(a.box) - areaOf(b.box));
    return there.length ? there[0].id : -1;
  }

  function draw() {
    const all = followed();
    const at = now();
    const [seen, ids] = [all.frames[at], all.ids[at]];
    for (const key of Object.keys(sliders)) sliders[key].show(key === "frame" ? at : get(key));
    for (const [key, box] of ticks) box.show(get(key));
    const [row, column] = [Math.floor(at / columns), at % columns];
    sheet.style.backgroundPosition = [[column, columns], [row, rows]].map(([i, n]) => `${n > 1 ? 100 * i / (n - 1) : 0}%`).join(" ");
    const masks = seen.map(({ scores, cells, box }) => pasted(scores, cells, box, [height, width]));
    showMasks(masks, ids);
    const x = get("line") * width;
    const place = tagPlaces();
    easel.show({ height, width },
      svg("line", { class: "cb-video-gate", x1: x, y1: 0, x2: x, y2: height }),
      get("truth") && truth ? truth[at].map(({ box }) => rectangle(box, { class: "cb-thing cb-video-truth" })) : [],
      get("trails") ? all.tracks.map((track) => trail(track, at)) : [],
      seen.map(({ box, label }, i) => [
        rectangle(box, { class: "cb-under" }),
        rectangle(box, { class: `cb-video-box${ids[i] === get("chosen") ? " chosen" : ""}`, stroke: colourOf(ids[i]), "data-id": ids[i] }),
        svg("text", { class: "cb-name-tag", ...place(box, `${names[label]} ${ids[i]}`) }, `${names[label]} ${ids[i]}`),
      ]));
    showCounts(all, at);
    showList(all, at);
    close.show(all, at);
    showStrip(all, at);
    Object.assign(easel.el.dataset, { frame: at, boxes: JSON.stringify(seen.map(({ box }) => box)), ids: JSON.stringify(ids),
      pixels: JSON.stringify(masks.map((mask) => mask.reduce((sum, v) => sum + v, 0))) });
    hold();
  }

  /** Where a name stands: above its box, or else inside, or below, where no other one stands yet. */
  function tagPlaces() {
    const taken = [];
    return ([y0, x0, y1, x1], text) => {
      const right = x0 > 0.6 * width;
      const x = right ? Math.min(x1, width) - 0.4 : Math.max(x0, 0) + 0.4;
      const wide = LETTER * text.length;
      const left = right ? x - wide : x;
      const free = (y) => !taken.some((t) => Math.abs(t.y - y) < LINE && left < t.left + t.wide && t.left < left + wide);
      const fits = [y0 - 0.9, y0 + 3.4, y1 + 3.4, y1 - 0.9].filter((y) => y > 3 && y < height);
      const y = fits.find(free) ?? fits[0] ?? y0 + 3.4;
      taken.push({ y, left, wide });
      return { x, y, ...(right ? { "text-anchor": "end" } : {}) };
    };
  }

  function showMasks(masks, ids) {
    const context = veil.getContext("2d");
    const image = context.createImageData(width, height);
    if (get("masks")) {
      // The best one is drawn last, and so on top.
      for (let k = masks.length - 1; k >= 0; k--) {
        const colour = redGreenBlue(colourOf(ids[k]));
        masks[k].forEach((inside, i) => { if (inside) image.data.set([...colour, VEIL], 4 * i); });
      }
    }
    context.putImageData(image, 0, 0);
  }

  /** The way of a track's middle up to a frame, if it is still followed. */
  function trail({ id, path, last }, at) {
    const places = path.filter(({ frame: f }) => f <= at);
    if (places.length < 2 || (id !== get("chosen") && at > last)) return [];
    const d = places.map(({ box }, i) => { const [y, x] = centreOf(box); return `${i ? "L" : "M"}${fmt(x).replace("−", "-")} ${fmt(y).replace("−", "-")}`; }).join("");
    return svg("path", { class: "cb-video-trail", d, stroke: colourOf(id) });
  }

  function showCounts(all, at) {
    const until = all.tracks.filter(({ path }) => path[0].frame <= at).length;
    const crossed = crossings(all.tracks, get("line") * width);
    const soFar = (right) => crossed.filter((c) => c.right === right && c.frame <= at).length;
    const parts = [
      h("div", {}, h("b", { "data-tracks": until }, until), ` track${until === 1 ? "" : "s"} so far, of ${all.tracks.length}`),
      h("div", {}, "over the line: ", h("b", { "data-right": soFar(true) }, `${soFar(true)} →`), ", ", h("b", { "data-left": soFar(false) }, `${soFar(false)} ←`)),
    ];
    if (truth) {
      const match = matched(all.frames[at], truth[at]);
      const hits = match.filter((t) => t >= 0).length;
      const things = new Set(truth.slice(0, at + 1).flat().map(({ id }) => id)).size;
      parts.push(h("div", {}, "in this frame ", h("b", { "data-hits": hits }, `${hits} of ${truth[at].length}`), " things found, ",
        h("b", { "data-false": match.length - hits }, match.length - hits), " false"),
      h("div", {}, `${things} thing${things === 1 ? " was" : "s were"} there so far, `, h("b", { "data-switches": all.switches.filter((s) => s.frame <= at).length },
        all.switches.filter((s) => s.frame <= at).length), " got another number"));
    }
    counts.replaceChildren(...parts);
    events.replaceChildren(...(all.switches.length ? [h("span", {}, "Another number for the same thing: "), all.switches.map(({ frame: f, before, now: id }) =>
      h("button", { type: "button", class: "cb-button", "data-switch": f, onclick: () => { playing.stop(); ui.set({ frame: f, chosen: id }); } },
        `frame ${f}: ${before} → ${id}`))].flat() : truth ? [h("span", {}, "No thing gets another number.")] : []));
    remark.textContent = get("threshold") >= 0.9 ? `With so high a threshold nearly nothing is suppressed by its own class: ${get("across") ? "what still is, is so across classes, from an overlap of 0.6 on." : "every guess is a thing of its own."}`
      : get("least") > 0.9 ? "Only what the network is very sure of is left: tracks have gaps, and break."
        : get("least") < 0.2 ? "With so low a score, guesses become things, and tracks come and go." : "";
  }

  function showList(all, at) {
    const ids = all.ids[at];
    // In the order of their numbers, so that a thing stays in its place while the film plays.
    const order = ids.map((_, i) => i).sort((a, b) => ids[a] - ids[b]);
    list.replaceChildren(...order.map((i) => [all.frames[at][i], i]).map(([{ label, score }, i]) => h("button", {
      type: "button", class: "cb-button cb-video-thing", "aria-pressed": String(ids[i] === get("chosen")), "data-id": ids[i], "data-score": score,
      onclick: () => ui.set({ chosen: ids[i] === get("chosen") ? -1 : ids[i] }),
    }, h("span", { class: "cb-video-swatch", style: `background:${colourOf(ids[i])}` }), `${names[label]} ${ids[i]}`, h("span", { class: "cb-muted" }, score.toFixed(2)))));
    if (!ids.length) list.append(h("div", { class: "cb-muted" }, "Nothing is found in this frame."));
  }

  /** The chosen thing from near: its mask in its own cells, and what is known of its track. */
  function closer() {
    const cells = picture({ label: "The mask in its cells: blue inside, orange outside" });
    const words = h("div", { class: "cb-video-words" });
    const box = h("div", { class: "cb-video-close" }, h("div", { class: "cb-view cb-video-cells" }, cells.el), words);
    return {
      el: box,
      show(all, at) {
        const track = all.tracks[get("chosen")];
        const i = all.ids[at].indexOf(get("chosen"));
        const thing = i < 0 ? null : all.frames[at][i];
        box.firstChild.hidden = !thing;
        if (!track) {
          words.textContent = "Choose a thing, in the picture or in the list: its mask in 14 × 14 cells, and its track.";
          return;
        }
        if (thing) cells.show(thing.scores, thing.cells, thing.cells, 4);
        const frames = track.path.map(({ frame: f }) => f);
        const gaps = frames[frames.length - 1] - frames[0] + 1 - frames.length;
        words.replaceChildren(
          h("div", {}, h("b", {}, `${names[track.label]} ${track.id}`), `: seen in ${frames.length} frame${frames.length === 1 ? "" : "s"}, from ${frames[0]} to ${frames[frames.length - 1]}`,
            gaps ? `, with ${gaps} missing in between` : ""),
          thing
            ? h("div", {}, `Its box is ${fmt(thing.box[2] - thing.box[0], 1)} × ${fmt(thing.box[3] - thing.box[1], 1)} pixels, its mask `,
              h("b", { "data-inside": thing.scores.filter((v) => v > 0).length }, thing.scores.filter((v) => v > 0).length), ` of ${thing.cells ** 2} cells (blue).`)
            : h("div", {}, "It is not seen in this frame."));
      },
    };
  }

  /** A row for each track, a stroke for each frame in which it is seen; a click goes there. */
  function showStrip(all, at) {
    const rowsOf = Math.max(all.tracks.length, 1);
    strip.setAttribute("viewBox", `0 0 ${count} ${rowsOf}`);
    strip.setAttribute("preserveAspectRatio", "none");
    strip.style.height = `${ROW * rowsOf}px`;
    strip.setAttribute("aria-label", `${all.tracks.length} tracks over ${count} frames; now frame ${at}`);
    strip.replaceChildren(
      svg("rect", { class: "cb-video-now", x: at, y: 0, width: 1, height: rowsOf }),
      ...all.tracks.flatMap(({ id, path }) => path.map(({ frame: f }) =>
        svg("rect", { x: f + 0.06, y: id + 0.12, width: 0.88, height: 0.76, fill: colourOf(id), ...(id === get("chosen") ? { class: "chosen" } : {}) }))),
      ...all.switches.map(({ frame: f, before, now: id }) => svg("line", { class: "cb-video-switch", x1: f + 0.5, x2: f + 0.5, y1: before + 0.5, y2: id + 0.5 })));
  }
  onDrag(strip, (event) => {
    const box = strip.getBoundingClientRect();
    playing.stop();
    ui.set({ frame: clamp(Math.floor((event.clientX - box.left) / box.width * count), 0, count - 1) });
  });

  return ui.start({ stop: playing.stop });
}

/** Those that are kept of a list in the order of scores. */
function kept(all, threshold, apart = () => false) {
  const steps = suppression(all.map(({ box }) => box), threshold, (i, j) => apart(all[i], all[j]));
  return steps.map((step) => all[step.kept]);
}

/** What was found in each frame, the best first: [[{box, score, label, scores, cells}, …], …]. */
function readFilm(film) {
  const read = Object.fromEntries(["boxes", "scores", "labels", "masks"].map((part) => {
    const { step } = film[part];
    const { low, ...stored } = unpack(film[part]);
    // In full precision again, as the package has them.
    return [part, { ...stored, exact: (v) => low + step * Math.round((v - low) / step) }];
  }));
  const part = (name, i) => { const one = read[name]; return Array.from(one.part(i), one.exact); };
  let next = 0;
  return film.counts.map((n) => {
    const all = Array.from({ length: n }, () => {
      const i = next++;
      return {
        box: part("boxes", i), score: part("scores", i)[0], label: Math.round(part("labels", i)[0]), cells: film.masks.shape[1],
        get scores() { return part("masks", i); }, // few of them are ever looked at
      };
    });
    // The order of equal scores is the one of the list.
    return all.map((one, i) => [one, i]).sort(([a, i], [b, j]) => b.score - a.score || i - j).map(([one]) => one);
  });
}

export default { render };
