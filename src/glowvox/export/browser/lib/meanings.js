// What common words mean, in a few numbers, and the classifier of homographs that goes by it.

import { crc32 } from "./crc32.js";
import { blocks, rising, Sorted } from "./tables.js";

const bytesOf = (text) => new TextEncoder().encode(text);

/** Vectors and clusters by word. */
export class WordTable {
  constructor(bytes) {
    const [keys, clusters, vectors] = blocks(bytes);
    this.keys = rising(keys);
    this.clusters = new Uint32Array(clusters.slice().buffer);
    this.vectors = new Int8Array(vectors.slice().buffer);
    this.size = this.vectors.length / this.keys.length;
    this.rows = new Map(Array.from(this.keys, (key, row) => [key, row]));
  }

  row(word) {
    return this.rows.get(crc32(bytesOf(word)));
  }

  knows(word) {
    return this.row(word) !== undefined;
  }

  cluster(word) {
    const row = this.row(word);
    return row === undefined ? 0 : this.clusters[row];
  }

  /** Returns the words that are there, and what each adds to the direction in which their meanings point together. */
  shares(words) {
    const found = words.filter(([word]) => this.knows(word));
    const total = new Float64Array(this.size);
    const parts = found.map(([word, weight]) => {
      const start = this.row(word) * this.size;
      const part = Float64Array.from(this.vectors.subarray(start, start + this.size), (value) => value * weight);
      part.forEach((value, place) => (total[place] += value));
      return part;
    });
    const length = Math.hypot(...total) || 1;
    return [found.map(([word]) => word), parts.map((part) => part.map((value) => value / length))];
  }
}

/** Returns the classifier of the translated front end, with the sums that NumPy makes in Python. */
export function homographModel(HomographModel, bytes) {
  const [keys, weights, readings, directions] = blocks(bytes);
  const names = new Uint32Array(readings.slice().buffer);
  const values = new Float32Array(directions.slice().buffer);
  const size = values.length / names.length;
  const byReading = new Map(Array.from(names, (name, row) => [name, values.subarray(row * size, (row + 1) * size)]));

  class Model extends HomographModel {
    _evidence(reading, features, shares) {
      const look = this._weights.get;
      const own = crc32(bytesOf(reading.name));
      const sign = { verb: 1, noun: -1 }[reading.kind] ?? 0;
      const parts = features.map((feature) => look(crc32(feature, own), 0) + sign * (sign && look(crc32(feature), 0)));
      if (shares == null) return parts;
      const direction = this._directions.get(own);
      const common = sign ? this._directions.get(0) : undefined;
      if (!direction && !common) return parts;
      const value = (place) => (direction ? direction[place] : 0) + (common ? sign * common[place] : 0);
      return parts.concat(shares.map((share) => share.reduce((sum, one, place) => sum + one * value(place), 0)));
    }
  }
  return new Model(new Sorted(rising(keys), weights), byReading);
}
