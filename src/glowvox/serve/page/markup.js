// What in a text is markup and not said as it stands: SSML, pauses and phonemes in brackets.

const TAGS = /<[^<>]*>/g;
const PAUSES = /\[pause:\s*\d+(?:\.\d+)?\s*m?s\]/gi;
const PHONEMES = /\[\[[^[\]]{1,1000}\]\]/g;

export const isSsml = (text) => /^\s*(<\?xml[^>]*>\s*)?<speak[\s>]/.test(text);

/** Returns the places of markup, in order: {from, to}. */
export function markupIn(text) {
  const patterns = isSsml(text) ? [TAGS] : [PAUSES, PHONEMES];
  return patterns
    .flatMap((pattern) => [...text.matchAll(pattern)].map((match) => ({ from: match.index, to: match.index + match[0].length })))
    .sort((one, other) => one.from - other.from);
}

/** Says in a few words what is recognised in a text; "" where nothing is. */
export function nameOfMarkup(text) {
  if (isSsml(text)) return "SSML";
  const found = [text.search(PAUSES) >= 0 ? "pauses" : "", text.search(PHONEMES) >= 0 ? "phonemes" : ""].filter(Boolean);
  return found.length === 0 ? "" : `With ${found.join(" and ")}`;
}

/** The text with blanks in place of what is not said, every letter where it was. */
export function withoutMarkup(text) {
  const hidden = isSsml(text) ? TAGS : PAUSES;
  return text.replace(hidden, (tag) => " ".repeat(tag.length));
}
