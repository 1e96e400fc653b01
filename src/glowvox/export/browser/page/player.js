// Plays sentences as they come, one behind the other on the audio clock.

/** Seconds ahead of the clock: to start with, and after the voice was too slow. */
const LEAD = 0.05;

export class Player extends EventTarget {
  /** Opens the loudspeaker. Must be called by a key or a click, else browsers stay silent. */
  start(rate) {
    this.stop();
    this.context ??= new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
    this.context.resume();
    this.sources = new Set();
    this.end = 0;
    this.complete = false;
  }

  /** Adds a sentence; `heard` is called when it begins to sound. */
  add(samples, rate, heard) {
    const buffer = this.context.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.context.destination);
    const at = Math.max(this.end, this.context.currentTime + LEAD);
    this.end = at + buffer.duration;
    const timer = setTimeout(heard, 1000 * (at - this.context.currentTime));
    const one = { source, timer };
    this.sources.add(one);
    source.onended = () => {
      this.sources.delete(one);
      this.finish();
    };
    source.start(at);
  }

  /** Nothing more comes. */
  close() {
    this.complete = true;
    this.finish();
  }

  finish() {
    if (this.complete && this.sources.size === 0) this.dispatchEvent(new Event("ended"));
  }

  stop() {
    for (const { source, timer } of this.sources ?? []) {
      clearTimeout(timer);
      source.onended = null;
      source.stop();
    }
    this.sources = new Set();
  }
}
