// Under the pictures: every word where it is spoken, as a button. Words that would lie on each other stand in rows.

const GAP = 4;
const ROW = 26;
/** Where a long speech is shown whole, more rows would not help; words without a place are left out then. */
const MOST_ROWS = 5;

export class Lane {
  /** @param {HTMLElement} root @param {(word: object, button: HTMLElement) => void} open called for a word that is chosen */
  constructor(root, open) {
    this.root = root;
    this.open = open;
    this.clear();
    root.addEventListener("click", ({ target }) => this.choose(target.closest("button")));
    root.addEventListener("keydown", (event) => this.walk(event));
  }

  clear() {
    this.root.replaceChildren();
    this.words = [];
    this.buttons = [];
    this.widths = [];
    this.current = -1;
    this.laid = 0;
    this.ends = [];
    this.width = 0;
  }

  /** Takes the words that a recording has by now. */
  show(words) {
    const added = words.slice(this.buttons.length);
    if (added.length === 0) return;
    const buttons = added.map((word, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.tabIndex = this.buttons.length + index === 0 ? 0 : -1;
      button.textContent = word.text;
      const before = words[this.buttons.length + index - 1];
      button.toggleAttribute("data-first", before === undefined || before.ends_sentence === true);
      return button;
    });
    this.root.append(...buttons);
    this.buttons.push(...buttons);
    this.words = words;
  }

  /** Marks words: `isMarked` tells of each whether something is to be known about it. */
  mark(isMarked) {
    this.buttons.forEach((button, index) => button.toggleAttribute("data-warned", isMarked(this.words[index])));
  }

  /**
   * Puts every word at its second, in the first row that has room; those that have their place keep it while the scale
   * stays. @param {number} perSecond pixels @param {number} width of all
   */
  layOut(perSecond, width) {
    const isOther = perSecond !== this.perSecond || width < this.width;
    if (isOther) [this.laid, this.ends] = [0, []];
    Object.assign(this, { perSecond, width });
    if (this.laid === this.buttons.length) return;
    for (let index = this.widths.length; index < this.buttons.length; index++) this.widths.push(this.buttons[index].offsetWidth);
    for (; this.laid < this.buttons.length; this.laid++) {
      const button = this.buttons[this.laid];
      const left = Math.max(0, Math.min(this.words[this.laid].start * perSecond, width - this.widths[this.laid]));
      let row = this.ends.findIndex((end) => end <= left);
      if (row < 0 && this.ends.length < MOST_ROWS) row = this.ends.length;
      button.hidden = row < 0;
      if (row < 0) continue;
      this.ends[row] = left + this.widths[this.laid] + GAP;
      button.style.transform = `translate(${left}px, ${row * ROW}px)`;
    }
    this.root.style.height = `${Math.max(1, this.ends.length) * ROW}px`;
  }

  /** Shows which word is heard; those before it have been. Null: nothing is being heard. */
  light(current) {
    if (current === this.current) return;
    const [from, to] = [Math.min(this.current ?? -1, current ?? -1), Math.max(this.current ?? -1, current ?? -1)];
    for (let index = Math.max(0, from); index <= to && index < this.buttons.length; index++) {
      this.buttons[index].classList.toggle("said", current !== null && index < current);
      this.buttons[index].classList.toggle("now", index === current);
    }
    this.current = current;
  }

  choose(button) {
    const index = this.buttons.indexOf(button);
    if (index >= 0) this.open(this.words[index], button, index);
  }

  /** One stop for the tabulator; from there the arrows go from word to word. */
  walk(event) {
    const index = this.buttons.indexOf(document.activeElement);
    const to = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: this.buttons.length - 1 }[event.key];
    if (index < 0 || to === undefined) return;
    event.preventDefault();
    const next = this.buttons[Math.max(0, Math.min(to, this.buttons.length - 1))];
    for (const one of this.buttons) one.tabIndex = one === next ? 0 : -1;
    next.focus();
  }
}
