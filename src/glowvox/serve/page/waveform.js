// The waveform: the extremes of the samples under each pixel. Where nothing has been spoken yet lies faint Gaussian
// noise, which is what a flow makes the speech from.

const BIN = 128;
/** Of the noise, as a share of the height. */
const NOISE = 0.055;
const QUIETEST_PEAK = 0.25;

export class Waveform {
  constructor() {
    this.clear(1);
    this.noise = normalNoise(2048);
    this.shift = 0;
  }

  /** @param {number} rate samples per second of what follows */
  clear(rate) {
    this.rate = rate;
    this.low = [];
    this.high = [];
    this.held = 0;
    this.peak = 0;
  }

  /** @param {Float32Array} samples */
  add(samples) {
    for (const sample of samples) {
      if (this.held === 0) {
        this.low.push(sample);
        this.high.push(sample);
      } else {
        const last = this.low.length - 1;
        if (sample < this.low[last]) this.low[last] = sample;
        if (sample > this.high[last]) this.high[last] = sample;
      }
      this.peak = Math.max(this.peak, Math.abs(sample));
      this.held = (this.held + 1) % BIN;
    }
  }

  /**
   * @param {CanvasRenderingContext2D} canvas
   * @param {{width: number, height: number, perSecond: number, from: number}} view in pixels; the second at its left
   * @param {number} heard seconds @param {{accent: string, faint: string}} colours
   */
  draw(canvas, { width, height, perSecond, from }, heard, colours) {
    canvas.clearRect(0, 0, width, height);
    const bins = this.rate / BIN / perSecond;
    const start = from * perSecond;
    const spoken = Math.max(0, Math.min(width, this.low.length / bins - start));
    const played = Math.min(spoken, heard * perSecond - start);
    const gain = (height / 2) * (0.96 / Math.max(QUIETEST_PEAK, this.peak));
    canvas.fillStyle = colours.faint;
    for (let x = Math.ceil(spoken); x < width; x += 2) {
      const reach = Math.abs(this.noise[(x + this.shift) % this.noise.length]) * height * NOISE + 0.5;
      canvas.fillRect(x, height / 2 - reach, 1, 2 * reach);
    }
    for (let x = 0; x < spoken; x++) {
      canvas.fillStyle = x < played ? colours.accent : colours.faint;
      const first = Math.min(this.low.length - 1, Math.floor((x + start) * bins));
      const last = Math.min(this.low.length - 1, Math.max(first, Math.ceil((x + start + 1) * bins) - 1));
      let [low, high] = [this.low[first], this.high[first]];
      for (let bin = first + 1; bin <= last; bin++) {
        low = Math.min(low, this.low[bin]);
        high = Math.max(high, this.high[bin]);
      }
      const top = height / 2 - high * gain;
      canvas.fillRect(x, top - 0.5, 1, Math.max(1, (high - low) * gain) + 0.5);
    }
  }
}

/** Standard normal deviates (Box and Muller, 1958), reproducible: the same noise on every visit. */
export function normalNoise(count) {
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 1) / 4294967297;
  };
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}
