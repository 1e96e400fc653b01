// A voice in a thread of its own: messages `{id, does, ...}` in, `{id, ...}` out.

import { Voice } from "./voice.js";

let voice = null;
const running = new Map();

const work = {
  async load({ id, ortUrl, base, lexicon }) {
    const ort = await import(ortUrl);
    const own = ort.env ?? ort.default.env;
    own.wasm.wasmPaths = new URL("./", ortUrl).href;
    if (!globalThis.crossOriginIsolated) own.wasm.numThreads = 1;
    const progress = (done, total) => postMessage({ id, progress: [done, total] });
    voice = await Voice.open({ ort: ort.env ? ort : ort.default, base, lexicon, progress });
    const { card, name, language, licence, sampleRate, speakers, defaults } = voice;
    return { voice: { card, name, language, licence, sampleRate, speakers, defaults } };
  },

  async read({ text, options }) {
    return voice.read(text, options);
  },

  async stream({ id, text, options }) {
    const stop = new AbortController();
    running.set(id, stop);
    try {
      for await (const sentence of voice.stream(text, { ...options, signal: stop.signal })) {
        postMessage({ id, sentence }, [sentence.samples.buffer]);
        // What has come in meanwhile, such as a stop, is heard between two sentences.
        await new Promise((ready) => setTimeout(ready));
      }
    } finally {
      running.delete(id);
    }
    return { ended: true };
  },

  async stop({ which }) {
    running.get(which)?.abort();
    return {};
  },
};

addEventListener("message", async ({ data }) => {
  try {
    postMessage({ id: data.id, result: await work[data.does](data) });
  } catch (error) {
    postMessage({ id: data.id, error: { name: error.name, message: error.message } });
  }
});
