// Python in a worker of the page. It takes the files of the runtime from the site's folder or, on file://, from the
// page, which has them in scripts; everything else is the same.

let python, session, settings, progress;
let work = Promise.resolve(); // one thing after the other
const asked = new Map(); // files asked of the page, by name

const post = (message) => self.postMessage(message);

// --- Files ---------------------------------------------------------------------------------------------------------

const fetchAnywhere = self.fetch.bind(self);
const importAnywhere = self.importScripts.bind(self);
const began = new Map(); // file name -> promise of its bytes

// The bytes of one of the runtime's files, unpacked; progress is told as they come.
function bytesOf(name) {
  if (!began.has(name)) began.set(name, load(name));
  return began.get(name);
}

async function load(name) {
  const { packed, size } = settings.files[name];
  let stream;
  if (settings.fromPage) {
    const bytes = await new Promise((resolve) => { asked.set(name, resolve); post({ want: name }); });
    progress.add(size);
    stream = new Blob([bytes]).stream();
  } else {
    const response = await fetchAnywhere(`${settings.base}${name}${packed ? ".packed" : ""}`);
    if (!response.ok) throw new Error(`${name}: the server answered ${response.status}`);
    stream = response.body.pipeThrough(new TransformStream({
      transform(chunk, controller) { progress.add(chunk.length); controller.enqueue(chunk); },
    }));
  }
  if (packed) stream = stream.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const lastPart = (address) => String(address.url ?? address).split("/").pop().split("?")[0];
const TYPES = { wasm: "application/wasm", json: "application/json", js: "text/javascript" };

// Pyodide asks for its files by these two. What is not among them stays what it was: there is no network here.
self.fetch = async (address) => {
  const name = lastPart(address);
  if (!settings.files[name]) throw new TypeError("Python on a page has no network.");
  const type = TYPES[name.split(".").pop()] ?? "application/octet-stream";
  return new Response(await bytesOf(name), { headers: { "content-type": type } });
};
class NoNetwork { constructor() { throw new Error("Python on a page has no network."); } }
self.WebSocket = self.XMLHttpRequest = NoNetwork; // Python's sockets would try them
const scripts = new Map();
self.importScripts = (address) => importAnywhere(scripts.get(lastPart(address)) ?? address);

async function importScript(name) {
  scripts.set(name, URL.createObjectURL(new Blob([await bytesOf(name)], { type: "text/javascript" })));
}

// What is loaded, in bytes as they travel; told at most ten times a second.
class Progress {
  constructor() { this.done = this.total = 0; this.told = 0; this.doing = ""; }
  expect(names) {
    for (const name of names) if (!began.has(name)) { this.total += settings.files[name].size; bytesOf(name).catch(() => {}); }
    this.tell();
  }
  add(bytes) {
    this.done += bytes;
    if (performance.now() - this.told > 100) this.tell();
  }
  say(doing) { this.doing = doing; this.tell(); }
  tell() {
    this.told = performance.now();
    post({ loading: { done: this.done, total: this.total, doing: this.doing } });
  }
}

// --- Packages ------------------------------------------------------------------------------------------------------

// The packages that a piece of code needs: those that it imports, and those behind the words in it.
function packagesFor(code) {
  const names = new Set();
  for (const { pattern, packages } of settings.needs) {
    if (new RegExp(pattern).test(code)) for (const name of packages) names.add(name);
  }
  return withDependencies(names);
}

function withDependencies(names) {
  const all = new Set();
  const visit = (name) => {
    if (all.has(name) || !settings.packages[name]) return;
    all.add(name);
    for (const other of settings.packages[name].depends) visit(other);
  };
  for (const name of names) visit(name);
  return [...all];
}

const loaded = new Set();
async function loadPackages(names) {
  const missing = names.filter((name) => !loaded.has(name));
  if (!missing.length) return;
  progress.expect(missing.map((name) => settings.packages[name].file));
  progress.say("loading " + missing.filter((name) => settings.packages[name].named).join(", "));
  await python.loadPackage(missing, { messageCallback() {}, errorCallback(text) { console.warn(text); } });
  const there = new Set(Object.keys(python.loadedPackages).map((name) => name.toLowerCase()));
  for (const name of missing) {
    if (!there.has(name)) throw new Error(`${name} could not be loaded`);
    loaded.add(name);
  }
  if (missing.includes("matplotlib")) await unpack("fonts.zip", python.pyimport("sysconfig").get_path("purelib"));
}

// --- What the page asks for ----------------------------------------------------------------------------------------

async function boot(message) {
  settings = message.settings;
  progress = new Progress();
  const first = [...new Set([...withDependencies(["convbook"]), ...packagesFor(message.code)])];
  const core = ["pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json", "pages.zip"];
  progress.expect([...core, ...first.map((name) => settings.packages[name].file)]);
  progress.say("loading Python");
  await importScript("pyodide.asm.js");
  await importScript("pyodide.js");
  self.importScripts("pyodide.js");
  await Promise.all(core.map(bytesOf));
  progress.say("starting Python");
  python = await self.loadPyodide({ indexURL: settings.base, fullStdLib: false });
  for (const name of began.keys()) if (core.includes(name)) began.delete(name); // their memory is wanted
  await loadPackages(first);
  progress.say("starting Python");
  python.FS.chdir("/home/pyodide");
  await unpack("pages.zip", "/home/pyodide");
  if (message.interrupt) python.setInterruptBuffer(message.interrupt);
  session = python.pyimport("convbook.in_page.session").Session((text) => post({ out: JSON.parse(text) }));
  progress.say("");
  return { version: python.version, memory: memory() };
}

async function unpack(name, folder) {
  python.unpackArchive(await bytesOf(name), "zip", { extractDir: folder });
  began.delete(name);
}

async function prepare(code) {
  await loadPackages(packagesFor(code));
  progress.say("");
}

const memory = () => python._module.HEAPU8.length;

async function run(message) {
  await prepare(message.code);
  post({ started: message.id });
  const start = performance.now();
  const ended = session.run(message.code, message.number);
  return { ended, seconds: (performance.now() - start) / 1000, memory: memory() };
}

// Which of the cells, by their places from the top, must run before the last one.
async function needed({ codes, stale }) {
  return { places: JSON.parse(session.needed(JSON.stringify(codes), JSON.stringify(stale))) };
}

const jobs = { boot, run, needed };

self.onmessage = ({ data: message }) => {
  if (message.file) {
    asked.get(message.file)(message.bytes);
    asked.delete(message.file);
  } else if (message.type === "set") {
    const set = () => session?.set_state(message.widget, message.name, message.value);
    work = work.then(set).catch((error) => console.error(error)); // what comes next is done all the same
  } else {
    work = work.then(async () => {
      try {
        post({ done: message.id, result: await jobs[message.type](message) });
      } catch (error) {
        post({ done: message.id, failed: String(error.message ?? error).slice(-2000) });
      }
    });
  }
};
