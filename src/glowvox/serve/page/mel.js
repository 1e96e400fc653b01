// The mel spectrogram as the voices know it: Hann window, reflected ends, Slaney's filters and scale, natural
// logarithm. Pushed in any pieces it gives the frames of the whole, so it can follow a stream.

import { FourierTransform } from "./fft.js";

export const BANDS = 80;
const HIGHEST_HZ = 8000;
const FLOOR = 1e-5;
const HZ_PER_MEL = 200 / 3;
const BREAK_HZ = 1000;
const LOG_STEP = Math.log(6.4) / 27;

const toMel = (hz) => (hz < BREAK_HZ ? hz / HZ_PER_MEL : BREAK_HZ / HZ_PER_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP);
const toHz = (mel) => (mel < BREAK_HZ / HZ_PER_MEL ? mel * HZ_PER_MEL : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_HZ / HZ_PER_MEL)));

/** Samples between frames: near 12 ms at every rate, and a quarter of the window, a power of two. */
export function hopLength(rate) {
  return 2 ** Math.round(Math.log2(rate * 0.0116));
}

/** The filters as [first bin, weights], since each is zero almost everywhere (Auditory Toolbox, 1998). */
function filters(rate, size) {
  const top = toMel(Math.min(HIGHEST_HZ, rate / 2));
  const edges = Array.from({ length: BANDS + 2 }, (_, i) => toHz((top * i) / (BANDS + 1)));
  const hz = rate / size;
  return Array.from({ length: BANDS }, (_, band) => {
    const [low, centre, high] = edges.slice(band, band + 3);
    const first = Math.max(0, Math.ceil(low / hz));
    const last = Math.min(size / 2, Math.floor(high / hz));
    const weights = new Float64Array(Math.max(0, last - first + 1));
    for (let k = 0; k < weights.length; k++) {
      const at = (first + k) * hz;
      weights[k] = (Math.max(0, Math.min((at - low) / (centre - low), (high - at) / (high - centre))) * 2) / (high - low);
    }
    return { first, weights };
  });
}

export class MelStream {
  /** @param {number} rate samples per second */
  constructor(rate) {
    this.hop = hopLength(rate);
    this.size = 4 * this.hop;
    this.transform = new FourierTransform(this.size);
    this.filters = filters(rate, this.size);
    this.window = Float64Array.from({ length: this.size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / this.size));
    this.magnitude = new Float64Array(this.size / 2 + 1);
    this.kept = new Float64Array(0);
    this.begun = false;
  }

  /** Takes samples; returns the frames that are now certain, Float32Array [frames * BANDS], frame by frame. */
  push(samples) {
    this.kept = joined(this.kept, samples);
    const half = this.size / 2;
    if (!this.begun) {
      if (this.kept.length <= half) return new Float32Array(0);
      this.kept = joined(this.kept.slice(1, half + 1).reverse(), this.kept);
      this.begun = true;
    }
    return this.frames();
  }

  /** Ends the signal and returns the last frames; none where it was shorter than half a window. */
  finish() {
    if (!this.begun) return new Float32Array(0);
    const end = this.kept.length - 1;
    this.kept = joined(this.kept, this.kept.slice(end - this.size / 2, end).reverse());
    return this.frames();
  }

  frames() {
    const count = Math.max(0, Math.floor((this.kept.length - this.size) / this.hop) + 1);
    const frames = new Float32Array(count * BANDS);
    for (let frame = 0; frame < count; frame++) {
      this.transform.magnitudes(this.kept, frame * this.hop, this.window, this.magnitude);
      for (let band = 0; band < BANDS; band++) {
        const { first, weights } = this.filters[band];
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k] * this.magnitude[first + k];
        frames[frame * BANDS + band] = Math.log(Math.max(FLOOR, sum));
      }
    }
    this.kept = this.kept.slice(count * this.hop);
    return frames;
  }
}

function joined(head, tail) {
  const whole = new Float64Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
