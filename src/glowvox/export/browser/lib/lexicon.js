// The dictionary: pronunciations of words (in lower case) by their role in the sentence.

const KEPT = 32;

export class Lexicon {
  /**
   * @param text lines as `browser_tables.py` writes them; a word begins with what it shares with the one before.
   * @param signs phonemes by the sign that stands for each.
   */
  constructor(text, signs) {
    this.text = text;
    this.signs = new Map(Object.entries(signs));
    this.known = new Map();
    // Every 32nd word is kept whole, with the place of its line: a look-up reads one stretch between two of them.
    this.words = [];
    this.places = [];
    let word = "";
    let number = 0;
    for (let place = 0; place < text.length; number++) {
      const tab = text.indexOf("\t", place);
      word = word.slice(0, text.charCodeAt(place) - 32) + text.slice(place + 1, tab);
      if (number % KEPT === 0) {
        this.words.push(word);
        this.places.push(place);
      }
      const end = text.indexOf("\n", tab);
      place = end < 0 ? text.length : end + 1;
    }
    this.size = number;
  }

  /** Returns a word's phonemes by role, the usual one first; empty where the word is unknown. */
  roles(word) {
    let found = this.known.get(word);
    if (!found) {
      found = this.read(word);
      if (this.known.size < 50_000 && word.length <= 40) this.known.set(word, found);
    }
    return found;
  }

  read(word) {
    let low = 0;
    let high = this.words.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order(this.words[middle], word) <= 0) low = middle + 1;
      else high = middle;
    }
    if (!low) return new Map();
    let place = this.places[low - 1];
    let before = this.words[low - 1];
    for (let number = 0; number < KEPT && place < this.text.length; number++) {
      const tab = this.text.indexOf("\t", place);
      const end = this.text.indexOf("\n", tab) < 0 ? this.text.length : this.text.indexOf("\n", tab);
      if (number) before = before.slice(0, this.text.charCodeAt(place) - 32) + this.text.slice(place + 1, tab);
      if (before === word) return this.readings(this.text.slice(tab + 1, end));
      place = end + 1;
    }
    return new Map();
  }

  readings(line) {
    const found = new Map();
    for (const reading of line.split("|")) {
      const sign = reading.indexOf("=");
      const phonemes = Array.from(reading.slice(sign + 1), (each) => this.signs.get(each));
      found.set(sign < 0 ? "" : reading.slice(0, sign), phonemes);
    }
    return found;
  }
}

// By code points, as Python sorts; of UTF-16 that differs beyond the basic plane only, where no word is.
const order = (one, two) => (one < two ? -1 : one > two ? 1 : 0);
