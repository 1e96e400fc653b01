// The pronunciations that were corrected on the page: kept in the browser, sent with every request, and a file.

import { recall, remember } from "./memory.js";

const PLACE = "glowvox-lexicon";
const HEAD = "# Pronunciations for Glowvox: word = phonemes, or word = another spelling.";

/** Event "change". */
export class Lexicon extends EventTarget {
  constructor() {
    super();
    this.entries = new Map(linesOf(recall("localStorage", PLACE) ?? ""));
  }

  get size() {
    return this.entries.size;
  }

  /** Returns how a word is to be said, or undefined. Case makes no difference. */
  get(word) {
    return this.entries.get(word.toLowerCase())?.said;
  }

  set(word, said) {
    this.entries.set(word.toLowerCase(), { word, said: said.trim() });
    this.changed();
  }

  delete(word) {
    this.entries.delete(word.toLowerCase());
    this.changed();
  }

  /** Takes all entries of a text, such as a link carries. */
  add(text) {
    for (const [key, entry] of linesOf(text)) this.entries.set(key, entry);
    this.changed();
  }

  changed() {
    remember("localStorage", PLACE, this.text);
    this.dispatchEvent(new Event("change"));
  }

  /** As a request takes it, with one more entry where wished; "" where there is nothing. */
  with(word, said) {
    const others = [...this.entries].filter(([key]) => key !== word.toLowerCase()).map(([, entry]) => entry);
    return [...others, { word, said }].map(line).join("\n");
  }

  get text() {
    return [...this.entries.values()].map(line).join("\n");
  }

  get file() {
    return `${HEAD}\n${this.text}\n`;
  }
}

const line = ({ word, said }) => `${word} = ${said}`;

function linesOf(text) {
  const pairs = text.split("\n").map((one) => one.split(" = "));
  return pairs.filter(([word, said]) => word && said).map(([word, ...said]) => [word.toLowerCase(), { word, said: said.join(" = ") }]);
}

/** Writes phonemes as a lexicon has them. @param {string} phonemes with blanks between them */
export function asEntry(phonemes) {
  return phonemes.includes(" ") ? phonemes : `/${phonemes}/`;
}

/** Lists the entries on the page. @param {HTMLElement} root @param {Lexicon} lexicon @param {(text: string) => void} say */
export function connectLexicon(root, lexicon, say, save) {
  const list = root.querySelector("ul");
  const show = () => {
    root.hidden = lexicon.size === 0;
    list.replaceChildren(...[...lexicon.entries.values()].map((entry) => item(entry, () => {
      lexicon.delete(entry.word);
      say(`${entry.word} is read as usual again.`);
    })));
  };
  root.querySelector("#lexicon-file").addEventListener("click", () => save(new Blob([lexicon.file], { type: "text/plain" }), "lexicon.txt"));
  lexicon.addEventListener("change", show);
  show();
}

function item({ word, said }, forget) {
  const [element, name, how, button] = ["li", "b", "span", "button"].map((tag) => document.createElement(tag));
  name.textContent = word;
  how.textContent = said;
  how.className = "phonemes";
  button.type = "button";
  button.className = "link";
  button.textContent = "Forget";
  button.setAttribute("aria-label", `Forget ${word}`);
  button.addEventListener("click", forget);
  element.append(name, how, button);
  return element;
}
