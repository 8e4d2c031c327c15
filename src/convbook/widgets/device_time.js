// DeviceTimeExplorer: time = launches + max(memory, arithmetic), for a GPU and a CPU, over the
// batch size.
import { clamp } from "./kit/arithmetic.js";
import { buttons, choice, slider } from "./kit/controls.js";
import { button, h, live, svg } from "./kit/elements.js";
import { frame } from "./kit/frame.js";
import { keyOf, keyOfGuide, point } from "./kit/plot.js";
import { onDrag } from "./kit/pointing.js";

const KEYS = ["workload", "device", "batch", "overhead", "mode", "moving", "cpu_overhead", "cpu_bandwidth", "cpu_peak"];
const BATCHES = Array.from({ length: 13 }, (_, k) => 2 ** k);
const OVERHEADS = [1, 2, 5, 10, 20, 50, 100]; // microseconds

// The plot: powers of two across, powers of ten upwards.
const LEFT = 52, RIGHT = 18, TOP = 10, BOTTOM = 40;

const UNITS = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];
/** A time with its unit, three digits: 2.31 ms. */
function duration(seconds) {
  if (seconds === 0) return "0 s";
  const [size, unit] = UNITS.find(([least]) => seconds >= 0.9995 * least) ?? UNITS.at(-1);
  const value = seconds / size;
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${unit}`;
}
const grouped = (n) => n.toLocaleString("en-GB");

/** What the times are made of, for all values of the model and one batch size. */
function evaluate(get, batch) {
  const work = get("workloads")[get("workload")];
  const device = get("devices")[get("device")];
  const calls = work.calls * (get("mode") === "loop" ? batch : 1);
  const launches = calls * get("overhead") * 1e-6;
  const memory = (batch * work.bytes) / device.bandwidth;
  const arithmetic = (batch * work.flops) / device.peak;
  const moving = get("moving") ? (batch * work.moved) / device.link : 0;
  const cpu = {
    launches: calls * get("cpu_overhead") * 1e-6,
    memory: (batch * work.bytes) / (get("cpu_bandwidth") * 1e9),
    arithmetic: (batch * work.flops) / (get("cpu_peak") * 1e9),
  };
  return {
    batch, calls, launches, memory, arithmetic, moving, cpu,
    gpu: launches + Math.max(memory, arithmetic) + moving,
    onCpu: cpu.launches + Math.max(cpu.memory, cpu.arithmetic),
  };
}

function render({ model, el }) {
  const ui = frame({ model, el, title: "A model of the time: from which batch size on is a GPU faster?", keys: KEYS, draw, walks: ["batch", "overhead"] });
  const get = (key) => model.get(key);

  const workload = choice({
    label: "compute", options: named(get("workloads")), onchange: (key) => ui.set({ workload: key }),
  });
  const device = choice({ label: "GPU", options: named(get("devices")), onchange: (key) => ui.set({ device: key }) });
  const mode = buttons({
    label: "Loop", options: {
      batch: ["the whole batch at once", "Compute the whole batch at once"],
      loop: ["image by image", "Compute image by image"],
    },
    onchange: (value) => ui.set({ mode: value }),
  });
  const fetch = button("move the batch to the GPU first", "Count the time for moving the batch to the GPU",
    () => ui.set({ moving: !get("moving") }));
  const moving = h("div", { class: "cb-control" }, fetch);
  const batch = slider({
    label: "batch size", min: 0, max: BATCHES.length - 1, text: () => grouped(get("batch")),
    oninput: (k) => ui.set({ batch: BATCHES[k] }),
  });
  const overhead = slider({
    label: "per kernel", min: 0, max: OVERHEADS.length - 1, text: () => `${get("overhead")} µs`,
    oninput: (k) => ui.set({ overhead: OVERHEADS[k] }),
  });
  for (const control of [batch, overhead]) control.el.classList.add("cb-wide");
  const nearest = (list, value) => list.reduce((best, v, k) =>
    (Math.abs(Math.log(v / value)) < Math.abs(Math.log(list[best] / value)) ? k : best), 0);

  const picture = svg("svg", { role: "img", class: "cb-plot" });
  const plot = h("div", { class: "cb-plotbox" }, picture);
  const legend = h("div", { class: "cb-legend" });
  const said = live("cb-remark");
  const numbers = h("div", { class: "cb-numbers" });
  const remark = h("div", { class: "cb-formula" });
  ui.add(h("div", { class: "cb-controls" }, workload.el, device.el, mode.el, moving, batch.el, overhead.el),
    plot, legend, said, numbers, remark);
  const hold = ui.hold(said, numbers, remark);

  const size = () => ({ width: Math.max(280, plot.clientWidth || 640), height: plot.clientWidth < 480 ? 250 : 310 });
  const across = (n) => LEFT + (Math.log2(n) / (BATCHES.length - 1)) * (size().width - LEFT - RIGHT);
  const follow = (event) => {
    const at = (event.clientX - picture.getBoundingClientRect().left - LEFT) / (size().width - LEFT - RIGHT);
    ui.set({ batch: BATCHES[clamp(Math.round(at * (BATCHES.length - 1)), 0, BATCHES.length - 1)] });
  };
  onDrag(picture, follow);

  function draw() {
    const curve = BATCHES.map((n) => evaluate(get, n));
    const now = evaluate(get, get("batch"));
    workload.show(get("workload"));
    device.show(get("device"));
    mode.show(get("mode"));
    fetch.setAttribute("aria-pressed", get("moving"));
    batch.show(nearest(BATCHES, get("batch")));
    overhead.show(nearest(OVERHEADS, get("overhead")));
    const first = curve.find((point) => point.gpu < point.onCpu);
    drawPlot();
    legend.replaceChildren(keyOf("", "GPU"), keyOf("central", "CPU"), keyOfGuide("the GPU's launches alone"));
    const [fast, slow] = now.gpu < now.onCpu ? ["GPU", "CPU"] : ["CPU", "GPU"];
    const factor = Math.max(now.gpu, now.onCpu) / Math.min(now.gpu, now.onCpu);
    const times = factor >= 100 ? Math.round(factor) : Number(factor.toPrecision(2));
    said.textContent = `Batch of ${grouped(now.batch)}: GPU ${duration(now.gpu)}, CPU ${duration(now.onCpu)}. `
      + `The ${fast} is ${times} times as fast as the ${slow}.`;
    numbers.replaceChildren(...rows());
    remark.replaceChildren(
      h("div", {}, `time = launches + the longer of memory and arithmetic${get("moving") ? " + moving" : ""}`),
      h("div", {}, verdict(), " ", first
        ? `The GPU is the faster one from a batch of ${grouped(first.batch)} on.`
        : "The GPU is the slower one at every batch size."),
      h("div", {}, "A model with published peaks, not a measurement."),
    );
    hold();

    function verdict() {
      const parts = { "The launches rule": now.launches, "The GPU's memory rules": now.memory,
        "The GPU's arithmetic rules": now.arithmetic, "Moving the batch rules": now.moving };
      const [text, time] = Object.entries(parts).reduce((a, b) => (b[1] > a[1] ? b : a));
      return `${text}: ${Math.round((100 * time) / now.gpu)} % of the GPU's time.`;
    }
    function rows() {
      const work = get("workloads")[get("workload")];
      const chip = get("devices")[get("device")];
      const row = (name, seconds, why) => [h("span", {}, name),
        h("span", { "data-part": name, "data-seconds": seconds }, duration(seconds)), h("span", {}, why)];
      const n = now.batch;
      return [
        row("launches", now.launches, `${grouped(now.calls)} kernels · ${get("overhead")} µs`),
        row("memory", now.memory, `${bytes(n * work.bytes)} / ${Math.round(chip.bandwidth / 1e9)} GB/s`),
        row("arithmetic", now.arithmetic, `${operations(n * work.flops)} / ${chip.peak / 1e12} TFLOP/s`),
        row("moving", now.moving, get("moving") ? `${bytes(n * work.moved)} / ${chip.link / 1e9} GB/s` : "the batch is there already"),
        row("GPU", now.gpu, `${duration(now.gpu / n)} for each image`),
        row("CPU", now.onCpu, `${duration(now.onCpu / n)} for each image; ${get("cpu_overhead")} µs, ${get("cpu_bandwidth")} GB/s, ${get("cpu_peak")} GFLOP/s`),
      ].flat();
    }
    function drawPlot() {
      const { width, height } = size();
      const [right, bottom] = [width - RIGHT, height - BOTTOM];
      const all = curve.flatMap((point) => [point.gpu, point.onCpu]);
      const low = Math.floor(Math.log10(Math.min(...all)));
      const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...all))));
      const down = (seconds) => TOP + ((high - Math.max(low, Math.log10(seconds))) / (high - low)) * (bottom - TOP);
      const grid = [];
      for (let k = low; k <= high; k += 1) {
        grid.push(svg("path", { class: "cb-grid", d: `M${LEFT} ${down(10 ** k)}H${right}` }),
          svg("text", { x: LEFT - 5, y: down(10 ** k) + 4, "text-anchor": "end" }, duration(10 ** k)));
      }
      const every = width < 480 ? 3 : 1;
      BATCHES.filter((_, k) => k % every === 0).forEach((n) => {
        grid.push(svg("path", { class: "cb-grid", d: `M${across(n)} ${TOP}V${bottom}` }),
          svg("text", { x: across(n), y: bottom + 16, "text-anchor": "middle" }, n));
      });
      grid.push(svg("text", { x: (LEFT + right) / 2, y: height - 6, "text-anchor": "middle" }, "batch size"));
      const line = (name, value) => svg("path", { class: name,
        d: `M${curve.map((point) => `${across(point.batch)} ${down(value(point))}`).join("L")}` });
      picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
      picture.setAttribute("width", width);
      picture.setAttribute("height", height);
      picture.setAttribute("aria-label", `Time over the batch size, both logarithmic. GPU: ${duration(curve[0].gpu)} for 1 image, `
        + `${duration(curve.at(-1).gpu)} for ${grouped(curve.at(-1).batch)}. CPU: ${duration(curve[0].onCpu)} and ${duration(curve.at(-1).onCpu)}.`);
      picture.replaceChildren(...grid,
        line("cb-guide", (point) => point.launches),
        line("cb-curve central", (point) => point.onCpu), line("cb-curve", (point) => point.gpu),
        svg("path", { class: "cb-now", d: `M${across(now.batch)} ${TOP}V${bottom}` }),
        ...[...curve, now].flatMap((time, k) => {
          const chosen = k === curve.length;
          const more = (seconds) => ({ "data-batch": time.batch, "data-seconds": seconds, "data-now": chosen && "true" });
          return [point("central", across(time.batch), down(time.onCpu), chosen ? 5 : 2.5, more(time.onCpu)),
            point("", across(time.batch), down(time.gpu), chosen ? 5.5 : 3, more(time.gpu))];
        }));
    }
  }

  return ui.start({ watch: ui.tools.parentElement });
}

const named = (things) => Object.fromEntries(Object.entries(things).map(([key, { name }]) => [key, name]));

/** An amount with the largest unit that leaves a number of at least 1. */
function amount(value, units) {
  const k = clamp(Math.floor(Math.log10(Math.max(value, 1)) / 3), 0, units.length - 1);
  return `${Number((value / 1000 ** k).toPrecision(3))} ${units[k]}`;
}
const bytes = (value) => amount(value, ["B", "kB", "MB", "GB"]);
const operations = (value) => amount(value, ["FLOP", "kFLOP", "MFLOP", "GFLOP"]);

export default { render };
