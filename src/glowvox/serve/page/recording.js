// A take: what was asked for, and what has been spoken so far, samples and words with their times and their places in
// the written text.

import { withoutMarkup } from "./markup.js";
import { placeWords } from "./words.js";

export class Recording {
  /**
   * @param {string} text as it stood in the field @param {number} rate samples per second
   * @param {object} body of the request
   */
  constructor(text, rate, body = {}) {
    this.text = text;
    this.searched = withoutMarkup(text);
    this.rate = rate;
    this.body = body;
    /** Seconds from the request to the first sound, and to the last. */
    this.firstSound = null;
    this.took = null;
    /** Whether all of the text was spoken; a take that was stopped is complete, too. */
    this.isWhole = false;
    this.pieces = [];
    this.samples = 0;
    this.words = [];
    this.complete = false;
    this.oddByte = null;
  }

  /** Seconds. */
  get duration() {
    return this.samples / this.rate;
  }

  /** Takes bytes of 16-bit samples, low byte first, cut anywhere; returns the new samples as Int16Array. */
  add(bytes) {
    let whole = bytes;
    if (this.oddByte !== null) {
      whole = new Uint8Array(bytes.length + 1);
      whole[0] = this.oddByte;
      whole.set(bytes, 1);
    }
    const count = whole.length >> 1;
    this.oddByte = whole.length % 2 === 1 ? whole[whole.length - 1] : null;
    // A copy, since the bytes need not begin at an even place. Browsers run on machines with the low byte first only.
    const piece = new Int16Array(whole.slice(0, 2 * count).buffer);
    if (count > 0) this.pieces.push(piece);
    this.samples += count;
    return piece;
  }

  /** Takes words {text, start, end} in the order spoken; returns them with their places in the text. */
  addWords(words) {
    const last = this.words.findLast((word) => word.to !== null);
    const placed = placeWords(this.searched, words, last === undefined ? 0 : last.to);
    this.words.push(...placed);
    return placed;
  }

  /** The seconds at which sentences begin and end, in order: {from, to}. */
  get sentences() {
    const found = [];
    let first = null;
    this.words.forEach((word, index) => {
      first ??= index;
      if (!word.ends_sentence && index < this.words.length - 1) return;
      found.push({ from: this.words[first].start, to: word.end });
      first = null;
    });
    // Between two sentences is silence, of which both have half; the ends are those of the sound.
    const middles = found.slice(1).map((one, index) => (one.from + found[index].to) / 2);
    return found.map((_, index) => ({ from: index === 0 ? 0 : middles[index - 1], to: middles[index] ?? this.duration }));
  }

  /** Returns the index of the word spoken at `seconds`, or of the last one before; -1 before the first. */
  wordAt(seconds) {
    let low = 0;
    let high = this.words.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.words[middle].start <= seconds) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** 16-bit samples as floats from -1 to 1. */
export function asFloats(piece) {
  const floats = new Float32Array(piece.length);
  for (let i = 0; i < piece.length; i++) floats[i] = piece[i] / 32768;
  return floats;
}
