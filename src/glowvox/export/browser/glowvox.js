// A voice of Glowvox in JavaScript: text in, samples out, in the browser or in Node, with no server.

import { TextError } from "./lib/errors.js";
import { Voice } from "./lib/voice.js";
import { wavBytes } from "./lib/wav.js";
import { WorkerVoice } from "./lib/worker_voice.js";

export { TextError, Voice, wavBytes };

const HERE = new URL("./", import.meta.url);

/** Opens the voice in this thread; see glowvox.d.ts. */
export async function load({ ort, base = HERE, ...more } = {}) {
  const runtime = ort ?? (await import("onnxruntime-web/wasm"));
  return Voice.open({ ort: runtime.InferenceSession ? runtime : runtime.default, base: new URL(base), ...more });
}

/** Opens the voice in a worker, so that the page stays awake; see glowvox.d.ts. */
export async function loadInWorker({ ortUrl = new URL("ort/ort.wasm.min.mjs", HERE), base = HERE, ...more } = {}) {
  return WorkerVoice.open(new URL("lib/worker.js", HERE), { ortUrl: new URL(ortUrl).href, base: new URL(base).href, ...more });
}
