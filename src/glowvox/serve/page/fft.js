// A radix-2 fast Fourier transform (Cooley and Tukey, 1965) that allocates nothing once it is made: a frame of
// speech comes a hundred times a second.

export class FourierTransform {
  /** @param {number} size a power of two */
  constructor(size) {
    if (size < 2 || (size & (size - 1)) !== 0) throw new RangeError(`the size must be a power of two, got ${size}`);
    this.size = size;
    this.re = new Float64Array(size);
    this.im = new Float64Array(size);
    this.cos = new Float64Array(size / 2);
    this.sin = new Float64Array(size / 2);
    for (let k = 0; k < size / 2; k++) {
      this.cos[k] = Math.cos((2 * Math.PI * k) / size);
      this.sin[k] = Math.sin((2 * Math.PI * k) / size);
    }
    const bits = Math.log2(size);
    this.place = new Uint32Array(size);
    for (let i = 0; i < size; i++) this.place[i] = (this.place[i >> 1] >> 1) | ((i & 1) << (bits - 1));
  }

  /**
   * Writes |X[k]| for k = 0..size/2 of a windowed real frame.
   * @param {Float64Array} samples at least `from + size` of them
   * @param {number} from where the frame begins
   * @param {Float64Array} window [size]
   * @param {Float64Array} magnitude [size / 2 + 1], written
   */
  magnitudes(samples, from, window, magnitude) {
    const { size, re, im, place } = this;
    for (let i = 0; i < size; i++) {
      re[place[i]] = samples[from + i] * window[i];
      im[i] = 0;
    }
    for (let half = 1; half < size; half *= 2) this.butterflies(half);
    for (let k = 0; k <= size / 2; k++) magnitude[k] = Math.sqrt(re[k] * re[k] + im[k] * im[k]);
  }

  butterflies(half) {
    const { size, re, im, cos, sin } = this;
    const stride = size / (2 * half);
    for (let start = 0; start < size; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const a = start + k;
        const b = a + half;
        const c = cos[k * stride];
        const s = -sin[k * stride];
        const real = re[b] * c - im[b] * s;
        const imaginary = re[b] * s + im[b] * c;
        re[b] = re[a] - real;
        im[b] = im[a] - imaginary;
        re[a] += real;
        im[a] += imaginary;
      }
    }
  }
}
