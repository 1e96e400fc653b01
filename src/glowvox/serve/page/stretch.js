// Faster and slower without another pitch: waveform similarity overlap-add (Verhelst and Roelands, 1993). Each frame is
// taken from where the input goes on most like the frame before, near the place that the rate asks for.

const HOP_SECONDS = 0.012;
const REACH_SECONDS = 0.007;
/** Every second sample is enough to tell how alike two stretches of speech are. */
const STEP = 2;

export class TimeStretch {
  /** @param {number} factor how many times as fast @param {number} rate samples per second */
  constructor(factor, rate) {
    this.factor = factor;
    this.hop = Math.round(HOP_SECONDS * rate);
    this.reach = Math.round(REACH_SECONDS * rate);
    this.rise = Float32Array.from({ length: this.hop }, (_, i) => 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / this.hop));
    this.kept = new Float32Array(0);
    /** Samples of the input before `kept`. */
    this.dropped = 0;
    this.taken = 0;
    this.frame = 0;
    this.last = null;
    this.tail = null;
  }

  /** Takes samples of any number; returns those that are certain. */
  push(samples) {
    this.kept = joined(this.kept, samples);
    this.taken += samples.length;
    return this.frames();
  }

  /** Ends the signal; returns the rest. */
  finish() {
    const wanted = Math.round(this.taken / this.factor) - this.frame * this.hop;
    this.kept = joined(this.kept, new Float32Array(2 * this.hop + 2 * this.reach + Math.ceil(this.hop * this.factor)));
    return this.frames(Math.max(0, wanted)).slice(0, Math.max(0, wanted));
  }

  frames(most = Infinity) {
    const { hop, reach } = this;
    const made = [];
    for (let count = 0; count < most; count += hop) {
      const wished = Math.round(this.frame * hop * this.factor) - this.dropped;
      const continued = this.last === null ? wished : this.last + hop - this.dropped;
      if (Math.max(wished + reach, continued) + 2 * hop > this.kept.length) break;
      const from = this.last === null ? wished : this.likest(wished, continued);
      const frame = this.kept.subarray(from, from + 2 * hop);
      const out = frame.slice(0, hop);
      if (this.tail !== null) for (let i = 0; i < hop; i++) out[i] = out[i] * this.rise[i] + this.tail[i] * (1 - this.rise[i]);
      made.push(out);
      this.tail = frame.slice(hop);
      this.last = from + this.dropped;
      this.frame += 1;
      this.forget();
    }
    return made.reduce(joined, new Float32Array(0));
  }

  /** Returns where, near `wished`, the input is most like what stands at `continued`. */
  likest(wished, continued) {
    let [best, place] = [-Infinity, wished];
    for (let from = Math.max(0, wished - this.reach); from <= wished + this.reach; from++) {
      let [product, energy] = [0, 1e-9];
      for (let i = 0; i < this.hop; i += STEP) {
        product += this.kept[from + i] * this.kept[continued + i];
        energy += this.kept[from + i] ** 2;
      }
      const alike = product / Math.sqrt(energy);
      if (alike > best) [best, place] = [alike, from];
    }
    return place;
  }

  forget() {
    const wished = Math.round(this.frame * this.hop * this.factor) - this.dropped - this.reach;
    const unused = Math.min(wished, this.last + this.hop - this.dropped);
    if (unused < 4096) return;
    this.kept = this.kept.slice(unused);
    this.dropped += unused;
  }
}

function joined(head, tail) {
  const whole = new Float32Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
