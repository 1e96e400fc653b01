// The page's side of a voice that speaks in a worker, with the same methods.

import { collected } from "./collected.js";
import { TextError } from "./errors.js";

export class WorkerVoice {
  static async open(url, { progress = () => {}, ...given }) {
    const voice = new WorkerVoice(new Worker(url, { type: "module" }), progress);
    try {
      const { voice: card } = await voice.ask({ does: "load", ...given });
      return Object.assign(voice, card);
    } catch (error) {
      voice.close();
      throw error;
    }
  }

  constructor(worker, progress) {
    this.worker = worker;
    this.waiting = new Map();
    this.number = 0;
    worker.addEventListener("message", ({ data }) => {
      if (data.progress) progress(...data.progress);
      else if (data.sentence) this.waiting.get(data.id)?.sentence(data.sentence);
      else if (data.error) this.end(data.id, "reject", remade(data.error));
      else this.end(data.id, "resolve", data.result);
    });
    worker.addEventListener("error", (event) => {
      const error = new Error(event.message || "the worker could not be started: its files, or those of onnxruntime-web, are missing");
      for (const id of [...this.waiting.keys()]) this.end(id, "reject", error);
    });
  }

  end(id, how, value) {
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    asked?.[how](value);
  }

  ask(message, sentence = () => {}) {
    const id = (message.id ??= ++this.number);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, sentence });
      this.worker.postMessage(message);
    });
  }

  read(text, options = {}) {
    return this.ask({ does: "read", text, options });
  }

  async *stream(text, { signal, ...options } = {}) {
    signal?.throwIfAborted();
    const ready = [];
    let wake = () => {};
    let ended = false;
    let failed = null;
    const id = ++this.number;
    const stop = () => {
      if (this.waiting.has(id)) this.worker.postMessage({ id: ++this.number, does: "stop", which: id });
      this.end(id, "reject", signal?.reason ?? new DOMException("stopped", "AbortError"));
    };
    signal?.addEventListener("abort", stop, { once: true });
    this.ask({ id, does: "stream", text, options }, (sentence) => {
      ready.push(sentence);
      wake();
    })
      .catch((error) => (failed = error))
      .finally(() => {
        ended = true;
        wake();
      });
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (ready.length) yield ready.shift();
        else if (failed) throw failed;
        else if (ended) return;
        else await new Promise((awake) => (wake = awake));
      }
    } finally {
      signal?.removeEventListener("abort", stop);
      if (!ended) stop();
    }
  }

  say(text, options = {}) {
    return collected(this, text, options);
  }

  async close() {
    this.worker.terminate();
    for (const id of [...this.waiting.keys()]) this.end(id, "reject", new Error("the voice is closed"));
  }
}

function remade({ name, message }) {
  if (name === "RangeError") return new RangeError(message);
  if (name === "AbortError") return new DOMException(message, name);
  return name === "TextError" ? new TextError(message) : new Error(message);
}
