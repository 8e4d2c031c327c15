// ArchitectureExplorer: networks as trees of blocks, with a drawing to scale, one beside the other.
import { button, h, live, svg } from "./kit/elements.js";
import { choice, slider } from "./kit/controls.js";
import { frame } from "./kit/frame.js";
import { inflate } from "./kit/inflate.js";
import { by, evaluate, firstRefusal, grouped, inputAt, leaves } from "./kit/layers.js";
import { bytesOf } from "./kit/packed.js";
import "./architecture.css";

const KEYS = ["network", "beside", "size", "beside_size", "opened", "beside_opened", "picked", "beside_picked", "rebuild"];
const FIRST = { network: "network", size: "size", opened: "opened", picked: "picked" };
const SECOND = { network: "beside", size: "beside_size", opened: "beside_opened", picked: "beside_picked" };
const MOST_ROWS = 16; // as in Python: so many are shown at first
const HIGH = 96; // pixels of the drawing for the largest picture

// --- Words ---------------------------------------------------------------------------------------

const pair = (v) => (Array.isArray(v) ? v : [v, v]);
const times = (v) => pair(v).join("×");
const stride = (s) => (pair(s).some((n) => n > 1) ? `, stride ${pair(s)[0] === pair(s)[1] ? pair(s)[0] : times(s)}` : "");
const NAMES = {
  conv: ([c, oc, groups, , k, s, , d]) => {
    const kind = groups === 1 ? "convolution" : groups === c && c > 1 ? "depthwise convolution" : `convolution in ${groups} groups`;
    return `${kind} ${times(k)}${stride(s)}${pair(d).some((n) => n > 1) ? `, dilation ${times(d)}` : ""}`;
  },
  up: ([, , , , k, s]) => `transposed convolution ${times(k)}${stride(s)}`,
  max: ([k, s]) => `max pooling ${times(k)}${times(k) === times(s) ? "" : stride(s)}`,
  average: ([k, s]) => `average pooling ${times(k)}${times(k) === times(s) ? "" : stride(s)}`,
  unpool: () => "unpooling", linear: () => "fully connected", enlarge: ([f]) => `enlarge ${times(f)}`,
  norm: ([kind]) => (kind === "BatchNorm2d" ? "batch norm" : "instance norm"),
  shrink: ([s]) => `every pixel of ${s}`, reshape: () => "reshape", concat: () => "concatenate", add: () => "add",
  flatten: () => "flatten", global: () => "global average",
  same: ([kind]) => ({ Layer: "nothing, x itself", LocalResponseNorm: "local response norm", UnitLength: "unit length" }[kind] ?? kind),
  other: ([kind]) => kind,
};
const KINDS = {
  conv: "conv", up: "conv", linear: "linear", max: "pool", average: "pool", global: "pool", unpool: "pool",
  concat: "join", add: "join", Skip: "join", Residual: "join", Branches: "join", SharedBody: "join",
};

const count = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
/** What a node is, in a few words; a container by the layers with weights that it holds. */
function titleOf(node) {
  if (!node.parts.length) return NAMES[node.operation](node.settings);
  const inside = leaves(node);
  const weighty = { conv: "convolution", up: "convolution", linear: "fully connected layer" };
  const found = {};
  for (const { operation } of inside) if (weighty[operation]) found[weighty[operation]] = (found[weighty[operation]] ?? 0) + 1;
  const held = Object.entries(found).map(([what, n]) => count(n, what)).join(", ") || count(inside.length, "layer");
  return node.container === "Sequential" ? held : `${node.container}: ${held}`;
}
const UNITS = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];
/** A large number with three digits: 15.5 G. */
function short(n) {
  const [size, unit] = UNITS.find(([least]) => n >= 0.9995 * least) ?? [1, ""];
  const value = n / size;
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))}${unit && ` ${unit}`}`;
}
const shapeText = (shape) => (!shape ? "–" : Array.isArray(shape[0]) ? shape.map(by).join(", ") : by(shape));
const fieldText = (field) => (field === 0 ? "?" : field === -1 ? "everything" : by(pair(field)));

/** A receptive field; of a square, the second side is left out where there is little room. */
function seen(text) {
  const [rows, columns] = text.split(" × ");
  return columns === rows ? [rows, h("span", { class: "cb-square" }, ` × ${columns}`)] : text;
}

/** The arithmetic of a node, in a sentence or two. */
function story(node) {
  const totals = `${grouped(node.parameters)} parameters, ${grouped(node.multiplications)} multiplications`;
  if (node.parts.length) return `${count(leaves(node).length, "layer")}: ${totals} in all.`;
  const [c, oc, groups, bias, k] = node.settings;
  const places = node.shape ? by(node.shape.slice(1)) : "?";
  if (node.operation === "conv") {
    const one = `${pair(k).join(" · ")} · ${grouped(c / groups)}`;
    return `${grouped(oc)} filters of ${one} weights${bias ? ", and a bias each" : ""}: ${grouped(node.parameters)} parameters. `
      + `Every one of ${places} × ${grouped(oc)} outputs takes ${one} multiplications: ${grouped(node.multiplications)}.`;
  }
  if (node.operation === "linear") {
    const arriving = node.shape ? node.inputs[0].reduce((a, b) => a * b) : c;
    return `${grouped(arriving)} · ${grouped(oc)}${groups ? ` + ${grouped(oc)}` : ""} = ${grouped(node.parameters)} parameters, `
      + `each weight used once: ${grouped(node.multiplications)} multiplications.`;
  }
  return node.parameters || node.multiplications ? `${totals}.` : "No parameters.";
}

// --- Folding -------------------------------------------------------------------------------------

/** The blocks that are open at first: as many as give a short table. */
function firstOpened(root) {
  if (!root.parts.length) return [];
  const opened = [""];
  let rows = root.parts.length;
  for (const { path, parts } of root.parts) {
    if (!parts.length || rows + parts.length > MOST_ROWS) continue;
    opened.push(path);
    rows += parts.length;
  }
  return opened;
}

/** The nodes that are to be seen, each with its level; an open block stands before its parts. */
function visible(node, opened, level = 0) {
  if (!node.parts.length || !opened.has(node.path)) return [{ node, level, open: false }];
  const inside = node.parts.flatMap((part) => visible(part, opened, level + 1));
  return [{ node, level, open: true }, ...inside];
}

/** All blocks of a network, each with its level. */
function blocks(node, level = 0) {
  return node.parts.length ? [{ path: node.path, level }, ...node.parts.flatMap((part) => blocks(part, level + 1))] : [];
}

// -------------------------------------------------------------------------------------------------

function render({ model, el }) {
  const packed = model.get("networks");
  const networks = JSON.parse(new TextDecoder().decode(inflate(bytesOf(packed.data), packed.length)));
  const ui = frame({ model, el, title: "Look into networks: blocks, shapes and costs", keys: KEYS, draw });
  const get = (key) => model.get(key);
  const panels = [panel(FIRST), panel(SECOND)];
  const rebuild = button("make its fully connected layers anew for this size",
    "Make fully connected layers anew for what arrives", () => ui.set({ rebuild: !get("rebuild") }));
  const compared = live("cb-remark");
  const sides = h("div", { class: "cb-networks" }, panels.map((p) => p.el));
  ui.add(sides, h("div", { class: "cb-rebuild" }, rebuild), compared,
    h("div", { class: "cb-legend" }, legend("conv", "convolution, or a block of them"), legend("pool", "pooling"),
      legend("linear", "fully connected"), legend("join", "ways that part and meet: skip, residual, branches; add, concatenate"),
      legend("other", "input, and other layers"),
      h("span", {}, "Height: rows of the picture. Width: channels. One scale for all that is drawn.")));

  function draw() {
    const roots = panels.map((p) => p.compute());
    const scale = commonScale(roots.filter(Boolean));
    panels.forEach((p) => p.show(scale));
    sides.classList.toggle("two", Boolean(roots[1]));
    rebuild.setAttribute("aria-pressed", get("rebuild"));
    rebuild.parentElement.hidden = !get("rebuild") && !panels.some((p) => p.refused());
    compared.textContent = roots[1] ? comparison(roots) : "";
  }

  function comparison([first, second]) {
    const parts = ["parameters", "multiplications"].map((key) => {
      const [a, b] = [first[key], second[key]];
      if (!a || !b) return null;
      const ratio = Math.max(a, b) / Math.min(a, b);
      const times = Number(ratio.toPrecision(2));
      if (times === 1) return a === b ? `as many ${key}` : `about as many ${key}`;
      return `${times} times as ${a > b ? "many" : "few"} ${key}`;
    });
    return parts.includes(null) ? "" : `${get("network")} has ${parts[0]} and takes ${parts[1]}, compared with ${get("beside")}.`;
  }

  /** One network: its choice, its drawing, its tree. */
  function panel(keys) {
    const second = keys === SECOND;
    let root = null;
    let rows = [];
    const names = Object.fromEntries(packed.names.map((name) => [name, name]));
    const chosen = choice({
      label: second ? "beside it" : "network", options: second ? { "": "no other network", ...names } : names,
      onchange: (name) => ui.begin(begun(name)),
    });
    const begun = (name) => {
      const network = networks[name];
      const size = network ? nativeSize(network) : get(keys.size);
      return {
        [keys.network]: name, [keys.size]: size, [keys.picked]: "",
        [keys.opened]: network ? firstOpened(evaluate(network, size)) : [],
      };
    };
    const size = slider({
      label: "picture", min: 1, max: 448, text: (v) => { const n = networks[get(keys.network)]; return n ? by(inputAt(n.input, v).slice(1)) : ""; },
      oninput: (v) => ui.set({ [keys.size]: v }),
    });
    size.el.classList.add("cb-wide");
    const fold = button("fold", `Fold all blocks${second ? " of the second network" : ""}`, () => ui.set({ [keys.opened]: root.parts.length ? [""] : [] }));
    const unfold = button("unfold", `Unfold one level more${second ? " of the second network" : ""}`, () => ui.set({ [keys.opened]: deeper() }));
    const native = button("as built", `Back to the size it was built for${second ? ", the second network" : ""}`,
      () => ui.set({ [keys.size]: nativeSize(networks[get(keys.network)]) }));
    const tools = h("div", { class: "cb-foldings" }, fold, unfold, native);
    const drawing = h("div", { class: "cb-drawing" });
    const refusal = live("cb-message");
    const total = h("div", { class: "cb-netsum" });
    const fixed = h("div", { class: "cb-muted" });
    const tree = h("div", { class: "cb-tree", role: "tree", "aria-label": second ? "Layers of the second network" : "Layers" });
    const head = h("div", { class: "cb-netrow cb-nethead", "aria-hidden": "true" },
      ["layer", "output", "parameters", "multiplications", "sees"].map((text) => h("span", {}, text)));
    const told = live("cb-told");
    const body = h("div", { class: "cb-netbody" }, size.el, fixed, drawing, total, tools, refusal, head, tree, told);
    const box = h("div", { class: "cb-net" }, h("div", { class: "cb-controls" }, chosen.el), body);

    const opened = () => new Set(get(keys.opened));
    const ofPath = (path) => rows.find((row) => row.node.path === path);
    function toggle({ node, open }) {
      const now = opened();
      if (open) for (const path of [...now]) { if (path === node.path || inside(path, node.path)) now.delete(path); }
      else now.add(node.path);
      ui.set({ [keys.opened]: [...now], [keys.picked]: node.path });
    }
    function deeper() {
      const all = blocks(root);
      const now = opened();
      const closed = all.filter(({ path }) => !now.has(path) && above(path).every((p) => now.has(p)));
      return [...now, ...closed.map(({ path }) => path)];
    }
    const pick = (path, focus) => {
      ui.set({ [keys.picked]: path });
      if (focus) queueMicrotask(() => tree.querySelector('[tabindex="0"]')?.focus());
    };
    tree.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const at = rows.findIndex(({ node }) => node.path === event.target.dataset.path);
      const row = rows[at];
      if (!row) return;
      const parent = () => rows.slice(0, at).findLast(({ level }) => level < row.level);
      const leads = {
        ArrowDown: () => rows[at + 1], ArrowUp: () => rows[at - 1], Home: () => rows[0], End: () => rows.at(-1),
        ArrowLeft: () => { if (!row.open) return parent(); toggle(row); return row; },
        ArrowRight: () => { if (row.open) return rows[at + 1]; if (row.node.parts.length) toggle(row); return row; },
        Enter: () => { if (row.node.parts.length) toggle(row); return row; },
      };
      const lead = leads[event.key === " " ? "Enter" : event.key];
      if (!lead) return;
      event.preventDefault();
      event.stopPropagation();
      const to = lead();
      if (to) pick(to.node.path, true);
    });
    tree.addEventListener("click", (event) => {
      const item = event.target.closest("[role=treeitem]");
      const row = item && ofPath(item.dataset.path);
      if (!row) return;
      if (row.node.parts.length) toggle(row);
      pick(row.node.path, true);
    });

    return {
      el: box,
      refused: () => Boolean(root && firstRefusal(root)),
      compute() {
        const network = networks[get(keys.network)];
        root = network ? evaluate(network, get(keys.size), get("rebuild")) : null;
        rows = root ? visible(root, opened()).filter(({ node }) => node !== root || !opened().has("")) : [];
        return root && { root, rows, input: inputAt(network.input, get(keys.size)), parameters: root.parameters, multiplications: root.multiplications };
      },
      show(scale) {
        chosen.show(get(keys.network));
        body.hidden = !root;
        if (!root) return;
        const network = networks[get(keys.network)];
        const still = Boolean(network.fixed) || network.input.length !== 3;
        size.el.hidden = still;
        native.hidden = still || get(keys.size) === nativeSize(network);
        size.show(get(keys.size), { max: Math.max(2 * nativeSize(network), get(keys.size)) });
        fixed.textContent = network.fixed && `${network.fixed}, so this figure knows its shapes for ${by(network.input)} only.`;
        const refused = firstRefusal(root);
        const without = refused ? " up to there" : "";
        total.replaceChildren(h("b", {}, grouped(root.parameters)), " parameters, ", h("b", {}, short(root.multiplications)),
          ` multiplications${without}, ${count(leaves(root).length, "layer")}`);
        Object.assign(total.dataset, { parameters: root.parameters, multiplications: root.multiplications });
        refusal.textContent = refused ? `${refused.path ? `${refused.path}, ` : ""}${titleOf(refused)}: ${refused.refusal}` : "";
        fold.disabled = opened().size < 2;
        unfold.disabled = blocks(root).every(({ path }) => opened().has(path));
        drawing.replaceChildren(picture(rows, inputAt(network.input, get(keys.size)), scale, get(keys.picked), second));
        const picked = ofPath(get(keys.picked)) ?? null;
        const held = tree.contains(document.activeElement);
        const top = tree.scrollTop;
        tree.replaceChildren(...rows.map((row) => item(row, root, picked)));
        tree.scrollTop = top;
        const current = tree.querySelector('[tabindex="0"]');
        if (held) current?.focus({ preventScroll: true });
        if (picked && current) settle(tree, current);
        told.textContent = picked ? `${picked.node.path}${picked.node.path && ", "}${titleOf(picked.node)}. ${story(picked.node)}`
          + (picked.node.field > 0 || Array.isArray(picked.node.field) ? ` Each number sees ${fieldText(picked.node.field)} pixels of the picture.` : "")
          : "Choose a layer to read its arithmetic. Arrow keys walk and fold.";
      },
    };
  }

  /** One line of the tree. */
  function item({ node, level, open }, root, picked) {
    const shape = shapeText(node.shape);
    const isBlock = node.parts.length > 0;
    const numbers = open ? ["", "", "", ""] : [shape.replaceAll(" ", "").replaceAll(",", ", "), grouped(node.parameters), short(node.multiplications), fieldText(node.field)];
    const share = (key) => (root[key] && !open ? node[key] / root[key] : 0);
    const words = open ? "" : `, output ${shape}, ${numbers[1]} parameters, ${numbers[2]} multiplications, sees ${numbers[3]}`;
    const current = picked ? picked.node === node : node.path === (root.parts.length ? root.parts[0].path : "");
    return h("div", {
      class: `cb-netrow ${kindOf(node)}${node.refusal ? " refused" : ""}${open ? " open" : ""}`, role: "treeitem",
      "aria-level": level + 1, "aria-expanded": isBlock ? String(open) : null, "aria-selected": String(picked?.node === node),
      tabindex: current ? 0 : -1, "data-path": node.path, "data-shape": shape, "data-parameters": node.parameters,
      "data-multiplications": node.multiplications, "data-field": Array.isArray(node.field) ? node.field.join("x") : node.field,
      "data-lm-suppress-shortcuts": "true", "aria-label": `${titleOf(node)}${words}${node.refusal ? ", does not fit" : ""}`,
      style: `--cb-depth: ${Math.max(0, level - 1)}`,
    },
    h("span", { class: "cb-netname" }, h("span", { class: "cb-fold", "aria-hidden": "true" }, isBlock ? (open ? "▾" : "▸") : ""),
      h("span", { class: "cb-place" }, node.name), titleOf(node)),
    h("span", { class: "cb-out" }, numbers[0]),
    h("span", { class: "cb-cost", style: `--cb-share: ${share("parameters")}` }, numbers[1]),
    h("span", { class: "cb-cost", style: `--cb-share: ${share("multiplications")}` }, numbers[2]),
    h("span", { class: "cb-sees" }, seen(numbers[3])));
  }

  return ui.start({ watch: sides });
}

const inside = (path, block) => (block === "" ? path !== "" : path.startsWith(`${block}.`));
/** The paths of all blocks around a path; the outermost is "". */
function above(path) {
  if (path === "") return [];
  const names = path.split(".");
  return names.map((_, i) => names.slice(0, i).join("."));
}
/** The rows of the pictures that a network was built for; 1 if it takes no pictures. */
const nativeSize = ({ input }) => (input.length === 3 ? input[1] : 1);
/** The colour of a node: blocks with ways that part and meet have one of their own, other blocks that of convolutions. */
const kindOf = (node) => KINDS[node.container ?? node.operation] ?? (node.parts.length ? "conv" : "other");

const legend = (kind, text) => h("span", { class: "cb-key" }, svg("svg", { width: 14, height: 12, "aria-hidden": "true" },
  svg("rect", { class: `cb-slab ${kind}`, x: 1, y: 1, width: 12, height: 10 })), text);

/** Scrolls a box so that a part of it can be seen, and leaves the page where it is. */
function settle(box, part) {
  const [outer, inner] = [box.getBoundingClientRect(), part.getBoundingClientRect()];
  box.scrollTop += Math.min(0, inner.top - outer.top - 4) + Math.max(0, inner.bottom - outer.bottom + 4);
}

// --- The drawing ---------------------------------------------------------------------------------

/** What is drawn of the nodes to be seen: not open blocks, nor layers that leave the shape alone. */
const drawn = (rows) => rows.filter(({ node, open }) => !open && node.shape && !Array.isArray(node.shape[0])
  && !["same", "norm", "flatten"].includes(node.operation));

/** The scale that the drawings share: numbers of channels and of rows for a pixel. */
function commonScale(sides) {
  const all = sides.map(({ rows, input }) => [input, ...drawn(rows).map(({ node }) => node.shape)]);
  return {
    channels: Math.max(...all.map((shapes) => shapes.reduce((sum, [c]) => sum + c, 0))),
    slabs: Math.max(...all.map((shapes) => shapes.length)),
    rows: Math.max(...all.flat().map(([, rows = 1]) => rows)),
  };
}

const WIDTH = 640;
/** Slabs side by side, as high as their pictures have rows and as wide as they have channels. */
function picture(rows, input, scale, picked, second) {
  const gap = Math.min(3, (0.3 * WIDTH) / scale.slabs);
  const least = 1.5;
  const wide = (WIDTH - scale.slabs * (gap + least)) / scale.channels;
  const shapes = [{ shape: input, kind: "other", title: "input", path: null },
    ...drawn(rows).map(({ node }) => ({ shape: node.shape, kind: kindOf(node), title: titleOf(node), path: node.path }))];
  let x = 0;
  const slabs = shapes.map(({ shape: [channels, height = 1], kind, title, path }) => {
    const [width, tall] = [least + wide * channels, Math.max(2, (HIGH * height) / scale.rows)];
    const slab = svg("rect", {
      class: `cb-slab ${kind}${path !== null && path === picked ? " picked" : ""}`, x: x.toFixed(2), y: ((HIGH - tall) / 2 + 1).toFixed(2),
      width: width.toFixed(2), height: tall.toFixed(2), "data-rows": height, "data-channels": channels,
    }, svg("title", {}, `${title}, ${channels} × ${height}`));
    x += width + gap;
    return slab;
  });
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HIGH + 2}`, role: "img", class: "cb-slabs",
    "aria-label": `${second ? "The second network" : "The network"}, drawn to scale: ${shapes.length} slabs` }, slabs);
}

export default { render };
