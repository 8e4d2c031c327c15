// GanLab: a generator and a discriminator in the plane, which train here, turn by turn.
import { buttons, checkbox, choice, examples, slider } from "./kit/controls.js";
import { curvePlot } from "./kit/curves.js";
import { button, h, live, svg } from "./kit/elements.js";
import { frame } from "./kit/frame.js";
import { fmt } from "./kit/text.js";
import { CLOUDS, cloudOf } from "./gan/clouds.js";
import { field, generated, measure, newGame, probeOf, pulls, turn } from "./gan/game.js";
import { GRID, planeView, REACH } from "./gan/plane.js";
import { modesOf, verdictOf } from "./gan/verdict.js";
import "./gan_lab.css";

const SETTINGS = ["d_rate", "g_rate", "d_steps", "g_steps", "saturating", "cooling"];
const KEYS = ["cloud", "points", ...SETTINGS, "arrows", "seed", "turns"];
const NAMES = { banana: "a banana", ring: "a ring of eight", clouds: "two clouds", spiral: "a spiral", own: "your own drawing" };
const [SHOWN, ARROWS] = [160, 70]; // points, and those of them that have arrows
const SLICE = 12; // milliseconds of training between two pictures
const MOST_KEPT = 400; // places of a curve
const MOST_POINTS = 400;
const RECENT = 12; // values of V that are looked at for a swing

const EVEN = { d_rate: 0.002, g_rate: 0.002, d_steps: 1, g_steps: 1, saturating: false };
const SITUATIONS = {
  balance: ["balance", { ...EVEN, cloud: "banana", cooling: true }],
  collapse: ["collapse: G makes 10 steps for one of D", { ...EVEN, cloud: "ring", g_steps: 10, cooling: false }],
  swing: ["oscillation: large steps on both sides", { ...EVEN, cloud: "clouds", d_rate: 0.02, g_rate: 0.02, cooling: false }],
  sure: ["D learns too fast", { ...EVEN, cloud: "ring", d_rate: 0.02, g_rate: 0.0001, d_steps: 10, saturating: true, cooling: false }],
};

function render({ model, el }) {
  const ui = frame({ model, el, title: "GanLab: forger and connoisseur in the plane", keys: KEYS, draw, onreset: reset });
  const get = (key) => model.get(key);
  const initial = Object.fromEntries(KEYS.map((key) => [key, structuredClone(get(key))]));

  let game;
  let probe; // the points on which V is measured
  let cloud;
  let log; // {places, v, d, g}: the curves so far
  let running = null; // the frame that was asked for
  let seen = {};

  const settings = () => ({
    dRate: get("d_rate") * coolness(), gRate: get("g_rate") * coolness(),
    dSteps: get("d_steps"), gSteps: get("g_steps"), saturating: get("saturating"),
  });
  const coolness = () => (get("cooling") ? 1 / (1 + game.turns / 500) : 1);

  // --- Controls ---
  const run = button("▶ Run", "Train, turn after turn", () => (running ? pause() : start()), { "aria-pressed": "false" });
  run.classList.add("cb-play");
  const single = button("One turn", "Train for a single turn", () => { pause(); train(1); show(); });
  const another = button("Another start", "Begin with other weights", () => { pause(); ui.set({ seed: (get("seed") + 1) % 10000 }); });
  ui.tools.append(run, single, another);

  const situation = examples({ label: "Situation", options: SITUATIONS, get, set: (values) => { ui.set(values); restart(); show(); } });
  const source = choice({ label: "Real points", options: NAMES, onchange: (name) => ui.set({ cloud: name }) });
  const rate = (label, key) => slider({
    label, min: -5, max: 0, step: 0.1, text: (exponent) => String(rounded(10 ** exponent)), oninput: (exponent) => ui.set({ [key]: rounded(10 ** exponent) }),
  });
  const steps = (label, key) => slider({ label, min: 1, max: 10, oninput: (n) => ui.set({ [key]: n }) });
  const rates = { d_rate: rate("rate of D", "d_rate"), g_rate: rate("rate of G", "g_rate") };
  const counts = { d_steps: steps("steps of D", "d_steps"), g_steps: steps("steps of G", "g_steps") };
  const loss = buttons({
    label: "Loss of G", name: "G minimises", options: { false: ["−log D", "minus the logarithm of D"], true: ["log(1−D)", "the logarithm of 1 minus D"] },
    onchange: (value) => ui.set({ saturating: value === "true" }),
  });
  const boxes = {
    cooling: checkbox({ text: "rates fall", onchange: (value) => ui.set({ cooling: value }) }),
    arrows: checkbox({ text: "gradients", onchange: (value) => ui.set({ arrows: value }) }),
  };

  // --- The stage ---
  const plane = planeView({ add(points) {
    const before = get("points");
    const rest = before.length === 1 && !before[0][0] && !before[0][1] ? [] : before; // the first point goes
    ui.set({ points: [...rest, ...points].slice(-MOST_POINTS) });
  } });
  const wipe = button("Clear the drawing", "Clear the drawing", () => ui.set({ points: [[0, 0]] }));
  const hint = h("div", { class: "cb-muted cb-ganhint" }, "Draw in the plane where real points shall be (arrow keys and Space do it, too). ", wipe);
  const key = (shape, text) => h("span", { class: "cb-key" }, svg("svg", { width: 14, height: 14, "aria-hidden": "true" }, shape), text);
  const keys = h("div", { class: "cb-legend" },
    key(svg("circle", { class: "cb-point", cx: 7, cy: 7, r: 4 }), "real"),
    key(svg("path", { class: "cb-point central", d: "M7 2L12 7L7 12L2 7Z" }), "generated"),
    h("div", {}, "ground: blue where D says real, orange where it says generated"));
  const counter = h("b", { class: "cb-gamecount" });
  const numbers = h("div", { class: "cb-ganline" });
  const verdict = live("cb-verdictline");
  const plots = {
    v: curvePlot({ axis: "turn", names: ["V"], guide: [-2 * Math.LN2, "−2 log 2"], limits: [-4, 0] }),
    losses: curvePlot({ axis: "turn", names: ["loss of D", "loss of G"], limits: [-6, 6] }),
  };
  ui.add(
    h("div", { class: "cb-ganrow" }, situation.el, source.el),
    h("div", { class: "cb-controls cb-ganrates" }, Object.values(rates).map((c) => c.el), Object.values(counts).map((c) => c.el)),
    h("div", { class: "cb-ganrow" }, loss.el, Object.values(boxes).map((b) => b.el)),
    h("div", { class: "cb-ganstage" }, h("div", {}, plane.el, hint, keys),
      h("div", { class: "cb-ganside" }, h("div", {}, counter, numbers), plots.v.el, plots.losses.el, verdict)));

  // --- The game ---
  function restart() {
    game = newGame(get("seed"));
    log = { every: 1, places: [], v: [], d: [], g: [] };
    verdict.textContent = "";
  }
  function newCloud() {
    cloud = get("cloud") === "own" ? cloudOf(get("points")) : CLOUDS[get("cloud")];
    probe = probeOf(cloud);
  }
  function reset() {
    pause();
    ui.begin(structuredClone(initial));
    seen = {};
    draw();
  }
  /** So many turns, or for so many milliseconds; the losses are averaged into the curves. */
  function train(turns, milliseconds = Infinity) {
    const began = performance.now();
    const now = settings();
    let [done, d, g] = [0, 0, 0];
    while (done < turns && performance.now() - began < milliseconds) {
      const { dLoss, gLoss } = turn(game, cloud, { ...now, ...(get("cooling") ? settings() : {}) });
      d += dLoss;
      g += gLoss;
      done += 1;
    }
    note(d / done, g / done);
  }
  function note(d, g) {
    const { v } = measure(game, probe);
    if (!Number.isFinite(v + d + g)) return;
    log.places.push(game.turns);
    log.v.push(v);
    log.d.push(d);
    log.g.push(g);
    if (log.places.length > MOST_KEPT) // every second one is enough from here
      for (const name of ["places", "v", "d", "g"]) log[name] = log[name].filter((_, i) => i % 2);
  }
  function start() {
    run.textContent = "❚❚ Pause";
    run.setAttribute("aria-pressed", "true");
    verdict.dataset.kind = "running";
    verdict.textContent = "Both are learning. Press Pause to read here how they stand.";
    const go = () => {
      if (!run.isConnected) return pause();
      train(Infinity, SLICE);
      running = requestAnimationFrame(go);
      show();
      return undefined;
    };
    running = requestAnimationFrame(go);
  }
  function pause() {
    if (running) cancelAnimationFrame(running);
    running = null;
    run.textContent = "▶ Run";
    run.setAttribute("aria-pressed", "false");
    if (game) say();
  }

  // --- Showing ---
  function show() {
    const { v, dReal, dFake } = measure(game, probe);
    const z = probe.z.subarray(0, 2 * SHOWN);
    const fake = generated(game, z);
    const moved = pulls(game, fake, get("saturating"));
    const finite = Number.isFinite(v) && moved.every(Number.isFinite);
    Object.assign(plane.el.dataset, { turns: game.turns, v, real: dReal, fake: dFake, modes: modesOf(generated(game, probe.z)) });
    counter.textContent = `Turn ${game.turns}`;
    numbers.textContent = finite ? `V = ${v.toFixed(3).replace("-", "−")} · D(x) = ${fmt(dReal)} · D(G(z)) = ${fmt(dFake)}` : "";
    if (!finite && running) return pause();
    plane.show({
      values: finite ? field(game, GRID, REACH) : new Float64Array(GRID * GRID).fill(0.5),
      real: probe.real.subarray(0, 2 * SHOWN), fake: finite ? fake : new Float64Array(0),
      pulls: finite && get("arrows") ? moved.subarray(0, 2 * ARROWS) : new Float64Array(0),
      said: `Real points from ${NAMES[get("cloud")]}, generated points and D in the plane, after ${game.turns} turns: ${numbers.textContent}`,
    });
    plots.v.show(log.places, [log.v]);
    plots.losses.show(log.places, [log.d, log.g]);
    if (!running) say();
    return undefined;
  }
  /** What the numbers mean, in a sentence: while it runs they change too fast for one. */
  function say() {
    const fake = generated(game, probe.z);
    const measured = measure(game, probe);
    const [kind, text] = verdictOf({ turns: game.turns, ...measured, recent: [...log.v.slice(-RECENT), measured.v], fake, pulls: pulls(game, fake, get("saturating")), cloud: get("cloud") });
    verdict.dataset.kind = kind;
    verdict.replaceChildren(h("span", { class: kind === "balance" ? "cb-good" : ["lost", "frozen", "collapse", "wild"].includes(kind) ? "cb-message" : "" }, text));
  }

  function draw() {
    const now = Object.fromEntries(KEYS.map((name) => [name, get(name)]));
    const changed = (...names) => names.some((name) => JSON.stringify(now[name]) !== JSON.stringify(seen[name]));
    const first = changed("seed", "turns") || !game;
    if (changed("cloud", "points") || first) newCloud();
    seen = now;
    situation.show();
    source.show(now.cloud);
    for (const [name, control] of Object.entries(rates)) control.show(Math.log10(now[name]));
    for (const [name, control] of Object.entries(counts)) control.show(now[name]);
    loss.show(String(now.saturating));
    for (const [name, control] of Object.entries(boxes)) control.show(now[name]);
    plane.drawable(now.cloud === "own");
    hint.hidden = now.cloud !== "own";
    if (first) {
      restart();
      while (game.turns < now.turns) train(Math.min(10, now.turns - game.turns));
    }
    show();
  }

  return ui.start({ watch: ui.tools.parentElement, resized: show, stop: pause });
}

const rounded = (value) => Number(value.toPrecision(2));

export default { render };
