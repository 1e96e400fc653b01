// The text itself as a surface: words light up where they stand (said, being said, still to come), and places are
// marked (warnings, corrections, markup). The mirror under the field has the same text at the same places.

const KINDS = ["warned", "corrected", "markup"];

export class Reading {
  /** @param {HTMLElement} sheet holding the field and its mirror @param {HTMLTextAreaElement} field */
  constructor(sheet, field) {
    this.sheet = sheet;
    this.field = field;
    this.mirror = sheet.querySelector(".mirror");
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.marks = [];
    this.close(field.value);
  }

  /** Whether words are being lit. */
  get isOpen() {
    return this.tail !== null;
  }

  /** The text as it stands in the field now. */
  get text() {
    return this.field.value;
  }

  /** Shows the plain text again; the mirror goes on to give the field its height. */
  close(text) {
    this.sheet.removeAttribute("data-reading");
    // A last line without letters has no height of its own.
    this.mirror.textContent = `${text}\u200b`;
    this.tail = null;
    this.current = -1;
    this.spans = [];
    this.paint();
  }

  open(text) {
    this.close(text);
    this.tail = this.mirror.firstChild;
    this.begun = 0;
    this.sheet.setAttribute("data-reading", "");
  }

  /** Takes words as `placeWords` gives them. */
  add(words) {
    if (this.tail === null) return;
    for (const word of words) {
      if (word.from === null) {
        this.spans.push(null);
        continue;
      }
      const body = this.tail.splitText(word.from - this.begun);
      const gap = wrapped(this.tail);
      this.tail = body.splitText(word.to - word.from);
      this.begun = word.to;
      this.spans.push({ gap, word: wrapped(body) });
    }
    this.paint();
  }

  /** Makes one word the one that is being said. */
  light(current) {
    if (this.tail === null || current === this.current) return;
    const [from, to] = [Math.min(this.current, current), Math.max(this.current, current)];
    for (let index = Math.max(0, from); index <= to && index < this.spans.length; index++) {
      this.spans[index]?.gap.classList.toggle("said", index <= current);
      this.spans[index]?.word.classList.toggle("said", index < current);
      this.spans[index]?.word.classList.toggle("now", index === current);
    }
    this.current = current;
    this.follow(this.spans[current]?.word);
  }

  /** Keeps the word in sight where the text is longer than its frame. */
  follow(span) {
    if (!span) return;
    const [frame, word] = [this.sheet.getBoundingClientRect(), span.getBoundingClientRect()];
    if (word.top >= frame.top && word.bottom <= frame.bottom) return;
    const top = this.sheet.scrollTop + word.top - frame.top - frame.height / 3;
    this.sheet.scrollTo({ top, behavior: this.calm.matches ? "auto" : "smooth" });
  }

  /** Marks places: {from, to, kind}, kind being "warned", "corrected" or "markup". */
  mark(marks) {
    this.marks = marks;
    this.paint();
  }

  paint() {
    // Browsers without highlights still have the list of warnings.
    if (globalThis.Highlight === undefined) return;
    const nodes = this.nodes();
    for (const kind of KINDS) {
      const ranges = this.marks.filter((one) => one.kind === kind).map((one) => rangeIn(nodes, one.from, one.to));
      CSS.highlights.set(kind, new Highlight(...ranges.filter((one) => one !== null)));
    }
  }

  /** Returns where the characters of a place are in the window. */
  boxOf(from, to) {
    return rangeIn(this.nodes(), from, to)?.getBoundingClientRect() ?? this.sheet.getBoundingClientRect();
  }

  /** The text nodes of the mirror with their places in the text. */
  nodes() {
    const walker = document.createTreeWalker(this.mirror, NodeFilter.SHOW_TEXT);
    const found = [];
    let start = 0;
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      found.push({ node, start, end: start + node.length });
      start += node.length;
    }
    return found;
  }
}

function rangeIn(nodes, from, to) {
  const first = nodes.find((one) => one.end > from);
  const last = nodes.find((one) => one.end >= to);
  if (first === undefined || last === undefined) return null;
  const range = new Range();
  range.setStart(first.node, from - first.start);
  range.setEnd(last.node, to - last.start);
  return range;
}

function wrapped(textNode) {
  const span = document.createElement("span");
  textNode.replaceWith(span);
  span.append(textNode);
  return span;
}
