// Parts of speech: a conditional random field over the shapes of words, as gruut's data bring it.

import { string } from "./python.js";
import { blocks, textOf } from "./tables.js";

const DISTANCES = [-2, -1, 0, 1, 2];

export class Tagger {
  constructor(bytes) {
    const [head, transitions, names, masks, counts, marks, weights] = blocks(bytes);
    const { labels, step, kinds, others } = JSON.parse(textOf(head));
    this.labels = labels;
    this.transitions = new Float32Array(transitions.slice().buffer);
    this.step = step;
    this.marks = marks;
    this.weights = new Int16Array(marks.length);
    for (let i = 0; i < marks.length; i++) this.weights[i] = weights[i] | (weights[marks.length + i] << 8);
    // For every distance and kind of part: by its text, where its weights begin and end.
    this.rows = kinds.map(() => new Map());
    const texts = textOf(names).split("\n");
    let [text, row, place] = [0, 0, 0];
    kinds.forEach((count, kind) => {
      for (let number = 0; number < count; number++, text++) {
        const found = new Int32Array(2 * DISTANCES.length);
        for (let distance = 0; distance < DISTANCES.length; distance++) {
          if (!((masks[text] >> distance) & 1)) continue;
          found[2 * distance] = place;
          place += counts[row++];
          found[2 * distance + 1] = place;
        }
        this.rows[kind].set(texts[text], found);
      }
    });
    this.others = new Map(Object.entries(others));
  }

  /** Returns a label for every word or mark of a sentence. */
  labelsOf(words) {
    const size = this.labels.length;
    let best = null;
    const from = [];
    words.forEach((_, place) => {
      const state = this.scores(words, place);
      if (!best) {
        best = state;
        return;
      }
      const came = new Int32Array(size);
      const next = new Float64Array(size);
      for (let label = 0; label < size; label++) {
        let [most, which] = [-Infinity, 0];
        for (let before = 0; before < size; before++) {
          const score = best[before] + this.transitions[before * size + label];
          if (score > most) [most, which] = [score, before];
        }
        next[label] = most + state[label];
        came[label] = which;
      }
      from.push(came);
      best = next;
    });
    if (!best) return [];
    let label = best.indexOf(Math.max(...best));
    const found = [label];
    for (const came of from.reverse()) found.push((label = came[label]));
    return found.reverse().map((each) => this.labels[each]);
  }

  /** Adds up what the features of a place say for every label. */
  scores(words, place) {
    const scores = new Float64Array(this.labels.length);
    DISTANCES.forEach((distance, number) => {
      const word = words[place + distance];
      if (word === undefined) return;
      const signs = [...word];
      const parts = [word, signs.slice(0, 2), signs.slice(0, 3), signs.slice(-2), signs.slice(-3)];
      parts.forEach((part, kind) => {
        const row = this.rows[kind].get(typeof part === "string" ? part : part.join(""));
        if (!row) return;
        for (let i = row[2 * number]; i < row[2 * number + 1]; i++) scores[this.marks[i]] += this.weights[i] * this.step;
      });
      const prefix = distance ? `${distance > 0 ? "+" : ""}${distance}:` : "";
      this.add(scores, `${prefix}bias`, 1);
      this.add(scores, `${prefix}len(word)`, signs.length);
      if (string.punctuation.includes(word)) this.add(scores, `${prefix}word.ispunctuation`, 1);
      if (/^\p{Nd}+$/u.test(word)) this.add(scores, `${prefix}word.isdigit()`, 1);
    });
    if (place === 0) this.add(scores, "BOS", 1);
    if (place === words.length - 1) this.add(scores, "EOS", 1);
    return scores;
  }

  add(scores, feature, value) {
    for (const [label, weight] of this.others.get(feature) ?? []) scores[label] += weight * value;
  }
}
