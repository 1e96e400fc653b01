// The voice's graph, from tokens to samples, in ONNX Runtime Web.

import { pcgStates, philoxKey } from "./seeds.js";

export class Engine {
  /**
   * @param ort the module onnxruntime-web.
   * @param model bytes of the graph.
   * @param card what the voice says about itself (`voice.json`).
   */
  static async open(ort, model, card) {
    // Optimising takes four times as long as opening, and makes no sentence faster.
    const options = { executionProviders: ["wasm"], graphOptimizationLevel: "disabled" };
    const session = await ort.InferenceSession.create(model, options);
    return new Engine(ort, session, card);
  }

  constructor(ort, session, card) {
    this.ort = ort;
    this.session = session;
    this.card = card;
    this.last = Promise.resolve();
  }

  /** Returns the samples of one sentence; calls wait for each other. */
  speak(tokens, options) {
    const made = this.last.then(() => this.run(tokens, options));
    this.last = made.catch(() => {});
    return made;
  }

  async run(tokens, { speed, temperature, sigma, seed, speaker }) {
    const { Tensor } = this.ort;
    const one = (value) => new Tensor("float32", Float32Array.of(value), [1]);
    const given = {
      tokens: new Tensor("int64", BigInt64Array.from(tokens, BigInt), [tokens.length]),
      length_scale: one(1 / speed),
      temperature: one(temperature),
      sigma: one(sigma),
      key: new Tensor("int64", philoxKey(seed), [2]),
      states: new Tensor("int64", pcgStates(seed, this.card.noise_blocks), [this.card.noise_blocks, 4]),
    };
    if (this.card.speakers.length > 1) {
      given.speaker = new Tensor("int64", BigInt64Array.of(BigInt(this.card.speakers.indexOf(speaker))), [1]);
    }
    const { samples } = await this.session.run(given);
    const own = Float32Array.from(samples.data);
    samples.dispose();
    return own;
  }

  async close() {
    await this.last;
    await this.session.release();
  }
}
