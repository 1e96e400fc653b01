// Plays a recording that is still growing, and says which second of it is being heard.
//
// Buffers are scheduled one behind the other on the audio clock. The context runs at the recording's own rate: were
// each buffer resampled by itself, its ends would click. An AudioWorklet would do as well, but browsers withhold it
// from plain http, which is how a machine at home is reached.

import { asFloats } from "./recording.js";
import { TimeStretch } from "./stretch.js";

/** Seconds ahead of the clock: to start with, and after the server was too slow. */
const LEAD = 0.06;
const LEAD_AFTER_GAP = 0.3;
/** A whole recording is there at once: it is stretched and scheduled as it is needed, in pieces of so many seconds. */
const AHEAD = 4;
const PIECE = 1;

export class Player extends EventTarget {
  constructor() {
    super();
    this.context = null;
    this.volume = 1;
    this.factor = 1;
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
    this.left = Infinity;
    this.stretch = null;
    this.isFlushed = false;
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
    if (this.context === null) {
      this.context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
      this.gain = new GainNode(this.context, { gain: this.volume });
      this.gain.connect(this.context.destination);
    }
    this.context.resume();
  }

  /** Plays a recording, from `seconds` on, at most until a later second. */
  start(recording, seconds = 0, until = Infinity) {
    this.prepare(recording.rate);
    this.recording = recording;
    this.seconds = seconds;
    this.until = until;
    this.left = Math.round((until - seconds) * recording.rate);
    this.stretch = this.factor === 1 ? null : new TimeStretch(this.factor, recording.rate);
    let before = Math.round(seconds * recording.rate);
    while (this.piece < recording.pieces.length && before >= recording.pieces[this.piece].length) {
      before -= recording.pieces[this.piece].length;
      this.piece += 1;
    }
    this.skip = before;
    this.state = "playing";
    this.feed();
  }

  /** Schedules what has come since, as far ahead as is needed. */
  feed() {
    if (this.recording === null) return;
    const { pieces, rate } = this.recording;
    while (this.piece < pieces.length && this.left > 0 && !this.isFarAhead) {
      const whole = pieces[this.piece];
      const to = Math.min(whole.length, this.skip + PIECE * rate, this.skip + this.left);
      const floats = asFloats(whole.subarray(this.skip, to));
      this.left -= floats.length;
      this.skip = to;
      if (to >= whole.length) [this.piece, this.skip] = [this.piece + 1, 0];
      if (floats.length > 0) this.schedule(this.stretch === null ? floats : this.stretch.push(floats), rate);
    }
    if (this.isFed && !this.isFlushed) {
      this.isFlushed = true;
      if (this.stretch !== null) this.schedule(this.stretch.finish(), rate);
    }
    this.endIfDone();
  }

  get isFarAhead() {
    const last = this.spans.at(-1);
    return last !== undefined && last.at + last.length > this.context.currentTime + AHEAD;
  }

  /** Whether nothing follows what has been scheduled. */
  get isFed() {
    return this.left <= 0 || (this.recording.complete && this.piece >= this.recording.pieces.length);
  }

  schedule(floats, rate) {
    if (floats.length === 0) return;
    const buffer = this.context.createBuffer(1, floats.length, rate);
    buffer.copyToChannel(floats, 0);
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.gain);
    const clock = this.context.currentTime;
    const last = this.spans.at(-1);
    let at = last === undefined ? clock + LEAD : last.at + last.length;
    if (at < clock) at = clock + LEAD_AFTER_GAP;
    // On a whole sample, so that neighbours meet without interpolation.
    at = Math.ceil(at * rate - 1e-6) / rate;
    const from = last === undefined ? this.seconds : last.from + last.length * this.factor;
    this.spans.push({ at, from, length: buffer.duration });
    this.sources.add(source);
    source.onended = () => {
      this.sources.delete(source);
      this.feed();
    };
    source.start(at);
  }

  endIfDone() {
    if (this.state === "idle" || !this.isFlushed || this.sources.size > 0) return;
    this.state = "idle";
    this.seconds = Math.min(this.until, this.recording.duration);
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

  /** @param {number} volume 0 to 1 */
  setVolume(volume) {
    this.volume = volume;
    if (this.context !== null) this.gain.gain.setTargetAtTime(volume, this.context.currentTime, 0.02);
  }

  /** Plays so many times as fast from now on, at the same pitch. */
  setFactor(factor) {
    const { recording, position, until, state } = this;
    this.factor = factor;
    if (state === "idle") return;
    this.start(recording, position, until);
    if (state === "paused") this.pause();
  }

  /** Seconds of the recording that have left the loudspeaker. */
  get position() {
    if (this.state === "idle" || this.spans.length === 0) return this.seconds;
    const heard = this.context.currentTime - (this.context.outputLatency || this.context.baseLatency || 0);
    const span = this.spans.findLast((one) => one.at <= heard);
    if (span === undefined) return this.spans[0].from;
    return Math.min(this.recording.duration, span.from + Math.min(heard - span.at, span.length) * this.factor);
  }
}
