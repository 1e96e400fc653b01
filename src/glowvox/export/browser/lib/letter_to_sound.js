// Words in no dictionary: the joint n-gram model of `glowvox.text.letter_to_sound`, with the same beam.

import { blocks, rising, Sorted } from "./tables.js";

const BEAM = 8;
const CHOICES = 12;
const STEP = 512;
const PRIME = 4_000_000_007;
const UNSEEN = -100;
const BORDER = 1;

export class LetterToSound {
  /**
   * @param bytes the tables.
   * @param graphones letters with their phonemes, in the order of their numbers.
   * @param withOneStress brings a word to one primary stress.
   */
  constructor(bytes, graphones, withOneStress) {
    const [order, keys, probabilities, histories, backoffs] = blocks(bytes);
    this.most = order[0] - 1;
    this.probabilities = new Sorted(rising(keys), probabilities);
    this.backoffs = new Sorted(rising(histories), backoffs);
    this.graphones = new Map();
    graphones.forEach(([letter, phonemes], number) => {
      if (!this.graphones.has(letter)) this.graphones.set(letter, []);
      this.graphones.get(letter).push([number + BORDER + 1, phonemes.split(" ").filter((each) => each)]);
    });
    this.choices = new Map();
    this.withOneStress = withOneStress;
  }

  /** Returns the phonemes of a word in lower case; letters that the model does not know are passed over. */
  pronounce(word) {
    let paths = [{ score: 0, history: [BORDER], said: [] }];
    for (const letter of word) {
      if (!this.graphones.has(letter)) continue;
      const grown = [];
      for (const { score, history, said } of paths) {
        const levels = this.levels(history);
        for (const [number, phonemes] of this.likely(history.at(-1), letter)) {
          grown.push({ score: score + this.score(levels, number), history, number, said, phonemes });
        }
      }
      grown.sort((one, two) => two.score - one.score);
      paths = [];
      const seen = new Set();
      for (const { score, history, number, said, phonemes } of grown) {
        const end = { score, history: [...history, number].slice(-this.most), said: said.concat(phonemes) };
        const name = `${end.history} ${end.said}`;
        if (seen.has(name)) continue;
        seen.add(name);
        paths.push(end);
        if (paths.length === BEAM) break;
      }
    }
    let best = null;
    for (const path of paths) {
      const total = path.score + this.score(this.levels(path.history), BORDER);
      if (!best || total > best.total) best = { total, said: path.said };
    }
    return this.withOneStress(best.said);
  }

  likely(last, letter) {
    const name = `${last} ${letter}`;
    let found = this.choices.get(name);
    if (!found) {
      const levels = this.levels([last]);
      found = this.graphones.get(letter).map((one) => [this.score(levels, one[0]), one]);
      found = found.sort((one, two) => two[0] - one[0]).slice(0, CHOICES).map(([, one]) => one);
      this.choices.set(name, found);
    }
    return found;
  }

  levels(history) {
    let cost = 0;
    const levels = [[0, packed(history)]];
    for (let start = 0; start < history.length; start++) {
      cost += this.backoffs.get(packed(history.slice(start)), 0);
      levels.push([cost, packed(history.slice(start + 1))]);
    }
    return levels;
  }

  score(levels, number) {
    for (const [cost, history] of levels) {
      const found = this.probabilities.get((history * STEP + number) % PRIME);
      if (found !== undefined) return cost + found;
    }
    return levels.at(-1)[0] + UNSEEN;
  }
}

// The number of a row of graphones; the remainder may be taken at every step.
const packed = (row) => row.reduce((value, number) => (value * STEP + number) % PRIME, 0);
