// Plays a recording that is still growing, and says which second of it is being heard.
//
// Buffers are scheduled one behind the other on the audio clock. The context runs at the recording's own rate: were
// each buffer resampled by itself, its ends would click. An AudioWorklet would do as well, but browsers withhold it
// from plain http, which is how a machine at home is reached.

import { asFloats } from "./recording.js";

/** Seconds ahead of the clock: to start with, and after the server was too slow. */
const LEAD = 0.06;
const LEAD_AFTER_GAP = 0.3;

export class Player extends EventTarget {
  constructor() {
    super();
    this.context = null;
    this.clear();
  }

  clear() {
    for (const source of this.sources ?? []) {
      source.onended = null;
      source.stop();
    }
    this.sources = new Set();
    this.spans = [];
    this.recording = null;
    this.piece = 0;
    this.skip = 0;
    this.seconds = 0;
    this.state = "idle";
  }

  /** Opens the loudspeaker. Must be called by a key or a click, else browsers stay silent. */
  prepare(rate) {
    this.clear();
    if (this.context !== null && this.context.sampleRate !== rate) {
      this.context.close();
      this.context = null;
    }
    this.context ??= new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
    this.context.resume();
  }

  /** Plays a recording, from `seconds` on. */
  start(recording, seconds = 0) {
    this.prepare(recording.rate);
    this.recording = recording;
    this.seconds = seconds;
    let before = Math.round(seconds * recording.rate);
    while (this.piece < recording.pieces.length && before >= recording.pieces[this.piece].length) {
      before -= recording.pieces[this.piece].length;
      this.piece += 1;
    }
    this.skip = before;
    this.state = "playing";
    this.feed();
  }

  /** Schedules what has come since. */
  feed() {
    if (this.recording === null) return;
    const { pieces, rate } = this.recording;
    for (; this.piece < pieces.length; this.piece++) {
      const floats = asFloats(pieces[this.piece]).subarray(this.skip);
      this.skip = 0;
      if (floats.length > 0) this.schedule(floats, rate);
    }
    this.endIfDone();
  }

  schedule(floats, rate) {
    const buffer = this.context.createBuffer(1, floats.length, rate);
    buffer.copyToChannel(floats, 0);
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.context.destination);
    const clock = this.context.currentTime;
    const last = this.spans.at(-1);
    let at = last === undefined ? clock + LEAD : last.at + last.length;
    if (at < clock) at = clock + LEAD_AFTER_GAP;
    // On a whole sample, so that neighbours meet without interpolation.
    at = Math.ceil(at * rate - 1e-6) / rate;
    const from = last === undefined ? this.seconds : last.from + last.length;
    this.spans.push({ at, from, length: buffer.duration });
    this.sources.add(source);
    source.onended = () => {
      this.sources.delete(source);
      this.endIfDone();
    };
    source.start(at);
  }

  endIfDone() {
    if (this.state === "idle" || !this.recording.complete || this.sources.size > 0) return;
    this.state = "idle";
    this.seconds = this.recording.duration;
    this.dispatchEvent(new Event("ended"));
  }

  /** Stops; the position stays where it was. */
  stop() {
    const seconds = this.position;
    this.clear();
    this.seconds = seconds;
  }

  pause() {
    if (this.state !== "playing") return;
    this.state = "paused";
    this.context.suspend();
  }

  resume() {
    if (this.state !== "paused") return;
    this.state = "playing";
    this.context.resume();
  }

  /** Seconds of the recording that have left the loudspeaker. */
  get position() {
    if (this.state === "idle" || this.spans.length === 0) return this.seconds;
    const heard = this.context.currentTime - (this.context.outputLatency || this.context.baseLatency || 0);
    const span = this.spans.findLast((one) => one.at <= heard);
    return span === undefined ? this.spans[0].from : span.from + Math.min(heard - span.at, span.length);
  }
}
