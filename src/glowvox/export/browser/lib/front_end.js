// The text front end of American English: what Python's does, translated (`text.js`), with its tables.

import * as python from "./python.js";
import { TextError } from "./errors.js";
import { setNames } from "./unicode.js";
import { Lexicon } from "./lexicon.js";
import { LetterToSound } from "./letter_to_sound.js";
import { numberWords } from "./numbers.js";
import { homographModel, WordTable } from "./meanings.js";
import { textOf } from "./tables.js";
import { Tagger } from "./tagger.js";
import { load } from "./text.js";

/**
 * Returns a front end.
 *
 * @param files bytes of the tables, unpacked: lexicon, tagger, homographs, meanings, sounds, tables.
 * @param voice the voice's card, whose symbols the tokens count.
 * @param lexicon the user's own pronunciations, in lines.
 */
export function frontEnd(files, voice, lexicon = "") {
  const tables = JSON.parse(textOf(files.tables));
  setNames(Object.entries(tables.names));
  const words = new Lexicon(textOf(files.lexicon), tables.signs);
  const made = {};
  const once = (name, make) => () => (made[name] ??= make());

  const given = {
    TextError,
    ConfigError: TextError,
    // Rules are made while the program loads, before its classes are there.
    rule: (pattern, first = "ldo") => (speak) => ({ compiled: pattern, speak, first, alone: "" }),
    _words: numberWords(tables.numbers),
    _german_rules: () => [],
    _any_rules: () => [],
    clean_characters: (raw) => cleanCharacters(raw, text),
    load_sequence_model: once("tagger", () => {
      const tagger = new Tagger(files.tagger);
      return { labels: (words) => tagger.labelsOf(words) };
    }),
    sentence_features: (words) => words,
    load_homograph_model: once("homographs", () => homographModel(text.HomographModel, files.homographs)),
    load_word_table: once("meanings", () => new WordTable(files.meanings)),
    load_letter_to_sound: once(
      "sounds",
      () => new LetterToSound(files.sounds, tables.graphones, text._with_one_stress),
    ),
    read_other_scripts: () => new Map(),
    script_of: () => "",
    to_plain: (raw) => ({ text: raw, warnings: [], ends: [] }),
    is_ssml: () => false,
    MarkupOptions: class {},
  };
  given.MarkupOptions.$params = ["language", "read_code"];
  const text = load(python, given);
  text.Scanner.prototype._short_cut = () => null; // all rules are asked, one by one

  class BackEnd extends text.GruutBackEnd {
    constructor() {
      super();
      this._language = "en-us";
      this._data = { alphabet: new Set(tables.alphabet) };
      this._package = "";
      this._english = true;
      this._british = false;
      this._homographs = homographs;
      const guesses = new Map();
      this._guess = (word) => {
        if (!guesses.has(word)) guesses.set(word, this._guess_new(word));
        return guesses.get(word);
      };
    }

    _roles(word) {
      return words.roles(word);
    }
  }

  const homographs = new Map(
    Object.entries(tables.homographs).map(([word, readings]) => [
      word,
      new Map(readings.map(([name, kind, meaning, phonemes]) => [new text.Reading(name, kind, meaning), phonemes])),
    ]),
  );
  const user = lexicon ? text.parse_lexicon(lexicon) : null;
  const english = new text.FrontEnd(new BackEnd(), user);
  const tokenizer = new text.Tokenizer(voice.symbols, false);
  return {
    /** Returns sentences with their words, tokens and the silence after each, and warnings. */
    process(raw, { sentencePause = 0.2, paragraphPause = 0.6, pauseTags = true, lastPause = 0 } = {}) {
      const pauses = new text.PauseLengths(sentencePause, paragraphPause);
      const utterance = english.process(raw, pauses, null, pauseTags);
      const last = utterance.sentences.length - 1;
      const sentences = utterance.sentences.map((sentence, number) => ({
        text: sentence.text,
        span: sentence.span,
        pause: number === last ? Math.max(sentence.pause_after, lastPause) : sentence.pause_after,
        spoken: sentence.normalized,
        words: sentence.words.map(({ text, phonemes, source, span }) => ({ text, phonemes, source, span })),
        // Without the borders, which the graph adds.
        tokens: sentence.items.length ? tokenizer.encode(sentence).ids.slice(1, -1) : [],
      }));
      return { sentences, warnings: utterance.warnings };
    },
  };
}

const KEPT_MOST = 16;

/** Cleans a text character by character with its accents, as `clean_characters` does in Python. */
function cleanCharacters(raw, text) {
  if (/^[\x20-\x7e]*$/.test(raw) && !raw.includes("`")) {
    return new text.CleanText(raw, Array.from({ length: raw.length + 1 }, (_, place) => place), 0);
  }
  const pieces = [];
  const origins = [];
  let controls = 0;
  let start = 0;
  while (start < raw.length) {
    if (raw[start] === "\r" && raw[start + 1] === "\n") {
      start++;
      continue;
    }
    let end = start + String.fromCodePoint(raw.codePointAt(start)).length;
    while (end < raw.length && end - start < KEPT_MOST && python.unicodedata.combining(raw[end])) end++;
    const [cleaned, dropped] = text._clean_cluster(raw.slice(start, end), raw[start - 1] ?? "", raw[end] ?? "");
    controls += dropped;
    pieces.push(cleaned);
    for (let place = 0; place < cleaned.length; place++) origins.push(start);
    start = end;
  }
  origins.push(raw.length);
  return new text.CleanText(pieces.join(""), origins, controls);
}
