// The page's side of Python: one worker, and a queue of cells that wait for it.

import { bytesFromScript } from "./packs.js";

// What the page shows of Python: "off", "starting", "ready", "running" or "stopping".
export class Python {
  constructor(settings, workerSource, listener) {
    Object.assign(this, { settings, workerSource, listener });
    this.state = "off";
    this.queue = [];
    this.current = null;
    this.models = new Map(); // the widgets that this Python knows, by number
    this.memory = this.starts = 0;
  }

  get canInterrupt() { return Boolean(globalThis.crossOriginIsolated && globalThis.SharedArrayBuffer); }

  tell(state, loading = null) {
    this.state = state;
    this.loading = loading;
    this.listener(this);
  }

  // Puts a cell's code into the queue. `job` has code, number, and is told: started(), show(message), ended(result).
  // With `codes`, of all cells down to this one, it asks which of them must run before, and runs none.
  run(job) {
    this.queue.push(job);
    this.next();
  }

  async next() {
    if (this.current || !this.queue.length) return;
    const job = (this.current = this.queue.shift());
    const worker = this.worker ?? this.start(job.code);
    if (this.interrupt) this.interrupt[0] = 0;
    const { code, number, codes, stale } = job;
    const answer = await this.ask(worker, codes ? { type: "needed", codes, stale } : { type: "run", code, number });
    if (worker !== this.worker) return; // stopped meanwhile: the job has been told
    this.memory = answer.result?.memory ?? this.memory;
    this.finish(answer.failed === undefined ? answer.result : { broken: answer.failed });
    if (answer.failed !== undefined) this.stopWorker();
    this.tell(this.worker ? "ready" : "off");
    this.next();
  }

  finish(result) {
    const job = this.current;
    this.current = null;
    if (!result.ended && !result.places) this.dropQueue(job.batch);
    job.ended(result);
  }

  // After an error the rest of a "run all above" is left out.
  dropQueue(batch) {
    if (batch === undefined) return;
    const dropped = this.queue.filter((job) => job.batch === batch);
    this.queue = this.queue.filter((job) => job.batch !== batch);
    for (const job of dropped) job.ended({ dropped: true });
  }

  start(code) {
    const { settings } = this;
    const address = URL.createObjectURL(new Blob([this.workerSource], { type: "text/javascript" }));
    const worker = (this.worker = new Worker(address));
    this.waiting = new Map();
    this.asked = 0;
    this.starts += 1;
    worker.onmessage = ({ data }) => { if (worker === this.worker) this.hear(worker, data); };
    worker.onerror = (event) => { if (worker === this.worker) this.broken(event.message || "it could not be started"); };
    if (this.canInterrupt) this.interrupt = new Uint8Array(new SharedArrayBuffer(1));
    this.tell("starting", { done: 0, total: 0, doing: "loading Python" });
    this.began = performance.now();
    this.ask(worker, { type: "boot", settings, interrupt: this.interrupt, code }).then((answer) => {
      if (worker !== this.worker) return;
      if (answer.failed !== undefined) this.broken(answer.failed);
      else { this.seconds = (performance.now() - this.began) / 1000; this.memory = answer.result.memory; }
    });
    return worker;
  }

  ask(worker, message) {
    return new Promise((resolve) => {
      const id = ++this.asked;
      this.waiting.set(id, resolve);
      worker.postMessage({ ...message, id });
    });
  }

  hear(worker, data) {
    if (data.out) this.show(data.out);
    else if (data.loading) this.hearLoading(data.loading);
    else if (data.started) { this.tell("running"); this.current?.started(); }
    else if (data.want) {
      bytesFromScript(this.settings.scripts, data.want)
        .then((bytes) => worker.postMessage({ file: data.want, bytes }, [bytes.buffer]))
        .catch((error) => { if (worker === this.worker) this.broken(error.message); });
    } else if (data.done) {
      this.waiting.get(data.done)?.(data);
      this.waiting.delete(data.done);
    }
  }

  hearLoading(loading) {
    this.loaded = loading;
    if (this.state !== "running" && loading.doing) this.tell("starting", loading);
  }

  show(message) {
    if (message.set) this.models.get(message.widget)?.receive(message.set);
    else if (message.from) this.models.get(message.from)?.show?.(message);
    else this.current?.show(message);
  }

  // Takes a job that waits out of the queue; returns whether it was there.
  drop(number) {
    const job = this.queue.find((each) => each.number === number);
    if (!job) return false;
    this.queue = this.queue.filter((each) => each !== job);
    job.ended({ dropped: true });
    return true;
  }

  // A widget's state, moved by the reader.
  send(widget, name, value) { this.worker?.postMessage({ type: "set", widget, name, value: JSON.stringify(value) }); }

  stopWorker() {
    this.worker?.terminate();
    this.worker = this.interrupt = undefined;
    for (const model of this.models.values()) model.leave();
    this.models.clear();
  }

  broken(reason) {
    const loading = this.state === "starting";
    this.stopWorker();
    const jobs = [this.current, ...this.queue].filter(Boolean);
    this.current = null;
    this.queue = [];
    for (const job of jobs) job.ended({ broken: reason, loading });
    this.tell("off");
  }

  // Where the host's headers allow it, Python is interrupted and lives on; elsewhere it is ended.
  stop() {
    for (const job of this.queue.splice(0)) job.ended({ dropped: true });
    if (this.state === "running" && this.interrupt && this.interrupt[0] === 0) {
      this.interrupt[0] = 2; // SIGINT
      this.tell("stopping");
    } else this.restart(true);
  }

  restart(stopped = false) {
    const job = this.current;
    this.current = null;
    this.stopWorker();
    for (const each of this.queue.splice(0)) each.ended({ dropped: true });
    this.tell("off");
    job?.ended({ stopped: true });
    this.forgotten?.(stopped);
  }
}
