// How the text in the field would be read, asked for whenever somebody pauses in writing: which words there are, and
// what was guessed or left out.

import { markupIn, withoutMarkup } from "./markup.js";
import { placeWords } from "./words.js";

const PAUSE_MS = 450;

/** Event "explained" when `words` and `warnings` belong to the text and the choices again. */
export class Explaining extends EventTarget {
  /** @param {import("./service.js").Service} service @param {() => object} body of the request as it would be made now */
  constructor(service, body) {
    super();
    this.service = service;
    this.body = body;
    this.forget("");
  }

  forget(text) {
    this.text = text;
    /** Words {text, from, to, spoken, warnings}, and warnings {message, from, to}: places in the text, or null. */
    this.words = [];
    this.warnings = [];
    this.form = "plain";
  }

  /** Asks again, soon. @param {string} text as it stands in the field */
  ask(text) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.askNow(text), PAUSE_MS);
  }

  /** Asks for nothing: the server has something better to do. */
  hush() {
    clearTimeout(this.timer);
    this.abort?.abort();
  }

  async askNow(text) {
    clearTimeout(this.timer);
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    let found = { words: [], warnings: [] };
    try {
      if (text.trim() !== "") found = await this.service.explain(this.body(), abort.signal);
    } catch {
      // What is wrong with the text is said when it is to be spoken.
    }
    if (abort.signal.aborted) return;
    this.forget(text);
    this.form = found.form ?? "plain";
    // The request has the text without the blanks around it, and counts characters, not halves of them.
    const unit = placesOf(text, text.length - text.trimStart().length);
    const known = found.words.map((word) => (word.start === null ? word : { ...word, from: unit(word.start), to: unit(word.end) }));
    this.words = known.every((word) => word.from !== undefined) ? known : placeWords(withoutMarkup(text), known, 0);
    this.warnings = found.warnings.map((one) => ({
      ...one,
      from: one.start === null ? null : unit(one.start),
      to: one.end === null ? null : unit(one.end),
    }));
    this.dispatchEvent(new Event("explained"));
  }

  /** Returns the word at a place of the text, or null. */
  wordAt(place) {
    return this.words.find((word) => word.from !== null && word.from <= place && place <= word.to) ?? null;
  }

  /** Returns what is known of a word that has been spoken, by its place in the text; null after the text has changed. */
  ofSpoken(word, text) {
    if (text !== this.text || word.from === null) return null;
    return this.words.find((one) => one.from === word.from) ?? null;
  }

  /** Every warning once, with the place of its first word: {message, from, to, word}. */
  get all() {
    const ofWords = this.words.flatMap((word) => word.warnings.map((message) => ({ message, from: word.from, to: word.to, word })));
    return [...new Map([...this.warnings, ...ofWords].reverse().map((one) => [one.message, one])).values()].reverse();
  }

  /** What is marked in the text. @param {(word: string) => boolean} isCorrected */
  marks(isCorrected) {
    const words = this.words.filter((word) => word.from !== null);
    return [
      ...words.filter((word) => word.warnings.length > 0).map((word) => ({ ...word, kind: "warned" })),
      ...this.warnings.filter((one) => one.from !== null).map((one) => ({ ...one, kind: "warned" })),
      ...words.filter((word) => isCorrected(word.text)).map((word) => ({ ...word, kind: "corrected" })),
      ...markupIn(this.text).map((one) => ({ ...one, kind: "markup" })),
    ];
  }
}

/** Returns a function from the number of a character to its place in the string, for which rare ones count twice. */
function placesOf(text, lead) {
  if (!/[\ud800-\udbff]/.test(text)) return (character) => lead + character;
  const places = [];
  for (let place = lead; place <= text.length; place += text.codePointAt(place) > 0xffff ? 2 : 1) places.push(place);
  return (character) => places[character] ?? text.length;
}
