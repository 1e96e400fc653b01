// A card about one word: what it was read as, with which phonemes and why; other readings; and a field to correct it.

import { asEntry } from "./lexicon.js";

const SOURCES = {
  "user lexicon": "from your lexicon",
  lexicon: "from the dictionary",
  suffix: "from the dictionary, with an ending",
  compound: "from the dictionary, put together",
  rules: "guessed by rules",
  spelling: "spelled",
  inline: "as written in the text",
  "back end": "from the back end",
};
const EDGE = 12;

export class WordCard {
  /**
   * @param {HTMLElement} root
   * @param {{service: object, lexicon: import("./lexicon.js").Lexicon, hear: (word: string, said: string | null) => void, body: () => object}} parts
   */
  constructor(root, parts) {
    this.root = root;
    Object.assign(this, parts);
    this.word = null;
    const element = (id) => root.querySelector(`#${id}`);
    this.at = Object.fromEntries(
      ["word-title", "word-said", "word-warning", "word-readings", "word-form", "word-field", "word-usual", "word-hear", "word-close"].map(
        (id) => [id.slice(5), element(id)],
      ),
    );
    this.at.close.addEventListener("click", () => this.close());
    this.at.hear.addEventListener("click", () => this.hear(this.word.text, this.at.field.value.trim() || null));
    this.at.usual.addEventListener("click", () => this.correct(""));
    this.at.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.correct(this.at.field.value);
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (!root.hidden && !root.contains(target) && !target.closest(".lane, #sheet, .warnings")) this.close();
    });
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
  }

  get isOpen() {
    return !this.root.hidden;
  }

  /**
   * @param {{text: string, spoken: object[], warnings: string[]}} word
   * @param {DOMRect} box of the word in the window @param {HTMLElement | null} opener gets the focus back; null: it kept it
   */
  open(word, box, opener) {
    this.word = word;
    this.opener = opener;
    const { at } = this;
    at.title.textContent = word.text;
    const spoken = word.spoken.map((one) => one.text).join(" ");
    at.said.replaceChildren(
      ...(spoken.toLowerCase() === word.text.toLowerCase() ? [] : [line("read as ", spoken)]),
      line("", word.spoken.map((one) => one.phonemes).join("  "), "phonemes"),
      line("", [...new Set(word.spoken.map((one) => SOURCES[one.source] ?? one.source))].join(", "), "note"),
      ...word.spoken
        .filter((one) => one.reading)
        .map((one) => line("", `${one.reading}${one.why ? ` (${one.why})` : ""}`, "note")),
    );
    at.warning.textContent = word.warnings.join("; ");
    at.readings.replaceChildren();
    at.field.value = this.lexicon.get(word.text) ?? "";
    at.field.removeAttribute("aria-invalid");
    at.usual.hidden = this.lexicon.get(word.text) === undefined;
    this.root.hidden = false;
    this.box = box;
    this.place(box);
    if (opener !== null) this.root.focus({ preventScroll: true });
    this.offer(word);
  }

  /** Puts the card under its word, or over it where there is more room. */
  place(box) {
    const { offsetWidth, offsetHeight, style } = this.root;
    const left = Math.max(EDGE, Math.min(box.left, document.documentElement.clientWidth - offsetWidth - EDGE));
    const isBelow = box.bottom + offsetHeight + EDGE < window.innerHeight || box.top < offsetHeight + EDGE;
    style.left = `${left + window.scrollX}px`;
    style.top = `${window.scrollY + (isBelow ? box.bottom + 6 : box.top - offsetHeight - 6)}px`;
  }

  close() {
    if (this.root.hidden) return;
    const hadFocus = this.root.contains(document.activeElement);
    this.root.hidden = true;
    if (hadFocus) this.opener?.focus();
  }

  /** Asks for the readings that the word could have, where it is spoken as one. */
  async offer(word) {
    if (word.spoken.length !== 1) return;
    const [{ text, phonemes }] = word.spoken;
    const found = await this.service.explain({ ...this.body(), lexicon: undefined, input: text, readings: true }).catch(() => null);
    if (this.word !== word || found === null) return;
    const others = (found.words[0]?.spoken[0]?.readings ?? []).filter((one) => one.phonemes !== phonemes);
    this.at.readings.replaceChildren(...others.map((one) => this.reading(one)));
    this.place(this.box);
  }

  reading({ phonemes, source }) {
    const [item, hear, use] = ["li", "button", "button"].map((tag) => document.createElement(tag));
    for (const button of [hear, use]) [button.type, button.className] = ["button", "quiet small"];
    hear.textContent = "Hear";
    hear.setAttribute("aria-label", `Hear ${phonemes}`);
    hear.addEventListener("click", () => this.hear(this.word.text, asEntry(phonemes)));
    use.textContent = "Use";
    use.setAttribute("aria-label", `Use ${phonemes}`);
    use.addEventListener("click", () => this.correct(asEntry(phonemes)));
    item.append(line("", phonemes, "phonemes"), line("", SOURCES[source] ?? source, "note"), hear, use);
    return item;
  }

  /** Says the word so from now on; "": as usual. What cannot be read as a pronunciation is refused here. */
  async correct(said) {
    const { text } = this.word;
    if (said.trim() === "") this.lexicon.delete(text);
    else {
      const attempt = { ...this.body(), input: text, lexicon: this.lexicon.with(text, said.trim()) };
      try {
        await this.service.explain(attempt);
      } catch (failure) {
        this.at.field.setAttribute("aria-invalid", "true");
        this.at.warning.textContent = failure.message;
        return;
      }
      this.lexicon.set(text, said);
    }
    this.close();
  }
}

function line(lead, text, className = "") {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = lead + text;
  return element;
}
