// ChannelExplorer: the boxes of X, F and Y drawn to scale; each filter makes one sheet of the
// output.
import { clamp, outputSize } from "./kit/arithmetic.js";
import { slider } from "./kit/controls.js";
import { after, h, live, svg } from "./kit/elements.js";
import { sizeFormula } from "./kit/formula.js";
import { frame } from "./kit/frame.js";
import { arrow } from "./kit/pointing.js";
import "./kit/matrix.css";
import "./channel.css";

const SLIDERS = [
  ["n", "N", "examples", 1, 4], ["c", "C", "channels", 1, 6], ["h", "H", "height", 3, 16], ["w", "W", "width", 3, 16],
  ["oc", "OC", "filters", 1, 8], ["fh", "FH", "height", 1, 5], ["fw", "FW", "width", 1, 5],
  ["stride", "S", "stride", 1, 3], ["padding", "P", "padding", 0, 2],
];
const KEYS = [...SLIDERS.map(([key]) => key), "channel"];

const LARGEST_CELL = 12; // pixels
const LARGEST_SHEET = 128;
const NARROW = 420;
const OPERATOR = 34; // the room that the sign before F and Y takes
const MARGIN = { left: 22, right: 26, top: 12, bottom: 18 }; // around a stack, for its labels
const LEAST_TARGET = 24;

const number = (value) => value.toLocaleString("en");
const product = (sizes) => sizes.reduce((a, b) => a * b, 1);
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

const rect = (cls, x, y, width, height) => svg("rect", { class: cls, x, y, width, height });
const words = (text, x, y, anchor = "middle", cls = "") =>
  svg("text", { x, y, "text-anchor": anchor, class: cls || undefined }, text);

/**
 * A stack of `depth` sheets of rows × cols cells, the first in front: {el, sheets, width, height}.
 * `shift`: how far each sheet stands to the right of and above the one before it; `ring`: width of
 * the padding in cells; `window`: [rows, cols] of a window in the upper left corner of each sheet;
 * `lit(k)`: whether sheet k is lit up; `names`: letters for rows, columns and depth; `below`: a
 * line under the stack.
 */
function stack({ depth, rows, cols, cell, shift, ring = 0, window, lit, names = [], below }) {
  const height = (rows + 2 * ring) * cell;
  const width = (cols + 2 * ring) * cell;
  const behind = (depth - 1) * shift;
  const sheets = Array.from({ length: depth }, (_, k) => {
    const x = MARGIN.left + k * shift;
    const y = MARGIN.top + behind - k * shift;
    const inner = [x + ring * cell, y + ring * cell, cols * cell, rows * cell];
    const lines = [];
    if (k === 0) {
      for (let i = 1; i < cols; i++) lines.push(`M${inner[0] + i * cell} ${inner[1]}v${inner[3]}`);
      for (let i = 1; i < rows; i++) lines.push(`M${inner[0]} ${inner[1] + i * cell}h${inner[2]}`);
    }
    return svg("g", { class: lit(k) ? "cb-sheet picked" : "cb-sheet" },
      ring > 0 && rect("cb-ring", x, y, width, height), rect("cb-face", ...inner),
      lines.length > 0 && svg("path", { class: "cb-lines", d: lines.join("") }),
      window && rect("cb-mark", x, y, window[1] * cell, window[0] * cell));
  });
  const bottom = MARGIN.top + behind + height;
  const [rowsName, colsName, depthName] = names;
  const labels = [
    rowsName && svg("text", {
      "text-anchor": "middle", transform: `translate(${MARGIN.left - 7} ${bottom - Math.max(height, 16) / 2}) rotate(-90)`,
    }, rowsName),
    colsName && words(colsName, MARGIN.left + Math.max(width, 16) / 2, bottom + 14),
    depthName && words(depthName, MARGIN.left + width + behind / 2 + 6, bottom - behind / 2 + (behind ? 6 : 0), "start"),
    below && words(below, MARGIN.left + width / 2, bottom + 29),
  ];
  return {
    el: svg("g", {}, [...sheets].reverse(), labels),
    sheets,
    width: MARGIN.left + width + behind + MARGIN.right,
    height: bottom + MARGIN.bottom + (below ? 14 : 0),
  };
}

/**
 * Lays stacks of one size out in rows of at most `most`, as many as fit into `room` pixels, and
 * sizes the picture.
 */
function arrange(picture, stacks, room, most) {
  const { width, height } = stacks[0];
  const columns = clamp(Math.floor(room / width), 1, Math.min(most, stacks.length));
  stacks.forEach(({ el }, i) =>
    el.setAttribute("transform", `translate(${(i % columns) * width} ${Math.floor(i / columns) * height})`));
  const size = [columns * width, Math.ceil(stacks.length / columns) * height];
  picture.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
  picture.setAttribute("width", size[0]);
  picture.setAttribute("height", size[1]);
}

function render({ model, el }) {
  const ui = frame({ model, el, title: "Channels: one filter, one sheet of the output", keys: KEYS, draw, walks: ["channel"] });
  const get = (key) => model.get(key);

  const sliders = SLIDERS.map(([key, symbol, word, min, max]) => {
    const label = [symbol, h("span", { class: "cb-word" }, ` ${word}`)]; // only the letter where there is no room
    const control = slider({ label, min, max, oninput: (value) => ui.set({ [key]: value }) });
    control.input.title = `${word} ${symbol}`;
    return { key, ...control };
  });
  const boxes = Object.fromEntries(["X", "F", "Y"].map((symbol) => {
    const shape = h("span", { class: "cb-shape" });
    const picture = svg("svg", { role: symbol === "X" ? "img" : "radiogroup", width: 0, height: 0 });
    return [symbol, {
      shape, picture,
      el: h("figure", { class: "cb-matrix cb-box" }, h("figcaption", {}, h("b", {}, symbol), shape), picture),
    }];
  }));
  const stage = h("div", { class: "cb-stage" }, boxes.X.el, after("⊛", boxes.F.el), after("=", boxes.Y.el));
  const message = h("div", { class: "cb-message cb-misfit", role: "status" });
  boxes.Y.el.append(message); // where the output would be
  const sentence = live("cb-sentence");
  const counts = h("div", { class: "cb-formula cb-counts" });
  const formula = h("div", { class: "cb-formula" });
  const legend = h("div", { class: "cb-legend" });
  ui.add(h("div", { class: "cb-controls cb-many" }, sliders.map((s) => s.el)), stage, sentence, counts, formula, legend);
  const hold = ui.hold(stage, sentence, counts);

  // The pictures are drawn anew for each state; the focus moves on to the same choice in the new
  // picture.
  for (const symbol of ["F", "Y"]) {
    const { picture } = boxes[symbol];
    const chosen = (event) => event.target.closest("[data-channel]")?.dataset.channel;
    const pick = (event) => {
      if (chosen(event) !== undefined && Number(chosen(event)) !== channel()) ui.set({ channel: Number(chosen(event)) });
    };
    let last = ""; // a new picture under a resting mouse is no hovering: only a real movement counts
    picture.addEventListener("pointermove", (event) => {
      const place = `${event.clientX},${event.clientY}`;
      if (event.pointerType === "mouse" && place !== last) pick(event);
      last = place;
    });
    picture.addEventListener("click", pick);
    picture.addEventListener("keydown", (event) => {
      const move = arrow(event);
      if (move) ui.set({ channel: (channel() + move[0] + move[1] + get("oc")) % get("oc") });
    });
  }

  const channel = () => clamp(get("channel"), 0, get("oc") - 1);

  function draw() {
    const [n, c, height, width, oc, fh, fw, S, P] = SLIDERS.map(([key]) => get(key));
    const picked = channel();
    const [oh, ow] = [outputSize(height, fh, S, P), outputSize(width, fw, S, P)];
    const fits = oh > 0 && ow > 0;
    const examples = plural(n, "example");
    for (const s of sliders) s.show(get(s.key));

    const room = stage.clientWidth || 640;
    const shift = room < NARROW ? 6 : 8;
    // Two examples find room side by side.
    const frameWidth = MARGIN.left + MARGIN.right + (Math.max(c, oc) - 1) * shift;
    const sheet = n > 1 ? Math.min(LARGEST_SHEET, (room - OPERATOR) / 2 - frameWidth) : LARGEST_SHEET;
    const cell = Math.min(LARGEST_CELL, sheet / (Math.max(height, width) + 2 * P));
    const first = (i, names) => (i === 0 ? names : []);
    const example = (i) => (n > 1 ? `n = ${i}` : undefined);

    show("X", ["N", "C", "H", "W"], [n, c, height, width], room, 2, Array.from({ length: n }, (_, i) => stack({
      depth: c, rows: height, cols: width, cell, shift, ring: P, window: fits && [fh, fw],
      lit: () => false, names: first(i, ["H", "W", "C"]), below: example(i),
    })));
    boxes.X.picture.setAttribute("aria-label",
      `Input X: ${examples}, each a stack of ${plural(c, "sheet")} of ${height} by ${width} cells`
      + `${P ? `, with a ring of ${P} for the padding` : ""}. A window of ${fh} by ${fw} cells goes through all sheets.`);

    const filters = Array.from({ length: oc }, (_, i) => {
      const filter = stack({
        depth: c, rows: fh, cols: fw, cell, shift, lit: () => i === picked,
        names: first(i, ["FH", "FW", "C"]), below: String(i),
      });
      choosable(filter.el, i, `Filter ${i}: ${plural(c, "sheet")} of ${fh} by ${fw} weights`);
      const target = Math.max(LEAST_TARGET, filter.width - MARGIN.left);
      filter.el.prepend(rect("cb-target", MARGIN.left - 4, 0, target, filter.height));
      if (i === picked) filter.el.lastChild.classList.add("cb-strong");
      return filter;
    });
    show("F", ["OC", "C", "FH", "FW"], [oc, c, fh, fw], room - OPERATOR, oc > 4 ? 4 : 2, filters);
    boxes.F.picture.setAttribute("aria-label", `Filters F: ${plural(oc, "filter")}, each as deep as the input has channels`);

    boxes.Y.picture.style.display = fits ? "" : "none";
    if (!fits) boxes.Y.shape.textContent = "";
    else {
      show("Y", ["N", "OC", "OH", "OW"], [n, oc, oh, ow], room - OPERATOR, 2, Array.from({ length: n }, (_, i) => {
        const output = stack({
          depth: oc, rows: oh, cols: ow, cell, shift, lit: (k) => k === picked,
          names: first(i, ["OH", "OW", "OC"]), below: example(i),
        });
        output.sheets.forEach((sheet, k) => {
          if (i === 0) choosable(sheet, k, `Sheet ${k} of Y: ${oh} by ${ow} cells`);
          else sheet.dataset.channel = k;
        });
        const top = MARGIN.top + (oc - 1 - picked) * shift;
        // The outline lies over the sheets in front, so that the chosen sheet is seen as a whole.
        output.el.append(
          rect("cb-outline", MARGIN.left + picked * shift, top, ow * cell, oh * cell),
          words(String(picked), MARGIN.left + picked * shift - 4, top + 7, "end", "cb-strong"));
        return output;
      }));
      boxes.Y.picture.setAttribute("aria-label",
        `Output Y: ${examples}, each a stack of ${plural(oc, "sheet")} of ${oh} by ${ow} cells, one sheet for each filter`);
    }

    message.textContent = fits ? "" : `A filter of ${fh} × ${fw} does not fit into the padded input of `
      + `${height + 2 * P} × ${width + 2 * P}. Take a larger input or padding, or a smaller filter.`;
    const weights = c * fh * fw;
    const channels = c === 1 ? "the one input channel" : `all ${c} input channels`;
    sentence.textContent = fits ? `Filter ${picked} has C·FH·FW = ${c}·${fh}·${fw} = ${plural(weights, "weight")}; `
      + `it sums over ${channels} and makes sheet ${picked} of Y${n > 1 ? ` for each of the ${n} examples` : ""}.` : "";
    counts.replaceChildren(...(fits ? countLines() : []));
    formula.replaceChildren(
      h("div", {}, sizeFormula("OH", "H", "FH", { size: height, kernel: fh, stride: S, padding: P })),
      h("div", {}, sizeFormula("OW", "W", "FW", { size: width, kernel: fw, stride: S, padding: P })));
    legend.textContent = [
      "All sheets are drawn to one scale.",
      fits ? "Framed in X: the window that the filter reads first, in every channel." : "",
      P ? "Dashed: padding; products with its zeros are counted too." : "",
    ].filter(Boolean).join(" ");
    hold();

    function show(symbol, letters, sizes, space, most, stacks) {
      const { picture, shape } = boxes[symbol];
      const focused = picture.contains(picture.getRootNode().activeElement);
      const named = h("span", {}, `(${letters.join(", ")})`);
      shape.replaceChildren(named, " ", h("span", {}, `= (${sizes.join(", ")})`));
      picture.replaceChildren(...stacks.map((s) => s.el));
      arrange(picture, stacks, space, most);
      if (focused) picture.querySelector('[tabindex="0"]')?.focus();
    }

    function choosable(element, k, name) {
      const attributes = {
        role: "radio", "aria-checked": k === picked, "aria-label": name, tabindex: k === picked ? 0 : -1,
        "data-channel": k, "data-lm-suppress-shortcuts": "true",
      };
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    }

    function countLines() {
      const inputs = c * height * width;
      const outputs = oc * oh * ow;
      const parameters = oc * weights + oc;
      const dense = inputs * outputs + outputs;
      const denseSizes = `${number(inputs)}·${number(outputs)} + ${number(outputs)}`;
      const count = (names, sizes, total) => h("span", {}, `${names} = ${sizes} = `, h("b", {}, number(total)));
      const line = (name, ...parts) => [h("span", { class: "cb-term" }, name), h("span", {}, parts)];
      const products = [n, oc, oh, ow, c, fh, fw];
      const denseProducts = [n, c, height, width, oc, oh, ow];
      return [
        h("div", { class: "cb-kind" }, "This convolution"),
        ...line("parameters", count("OC·C·FH·FW + OC", `${[oc, c, fh, fw].join("·")} + ${oc}`, parameters)),
        ...line("multiplications", count("N·OC·OH·OW·C·FH·FW", products.join("·"), product(products))),
        h("div", { class: "cb-kind" }, "A fully connected layer between the same arrays"),
        ...line("parameters", count("C·H·W·OC·OH·OW + OC·OH·OW", denseSizes, dense), ` ${ratio(dense, parameters)}`),
        ...line("multiplications", count("N·C·H·W·OC·OH·OW", denseProducts.join("·"), product(denseProducts)),
          ` ${ratio(product(denseProducts), product(products))}`),
      ];
    }
  }

  // The pictures are laid out for the width that there is: drawn again when it changes.
  let drawnFor = 0;
  return ui.start({
    watch: stage,
    resized() {
      if (stage.clientWidth === drawnFor) return;
      drawnFor = stage.clientWidth;
      draw();
    },
  });
}

/** "(248 times as many)", with two digits where the ratio is small. */
function ratio(dense, sparse) {
  const times = dense / sparse;
  if (times === 1) return "(just as many)";
  return `(${times < 10 ? Number(times.toPrecision(2)) : number(Math.round(times))} times as many)`;
}

export default { render };
