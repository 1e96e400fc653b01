// Finds spoken words again in the text as it was written, so that the page can light them up where they stand.

/** A word further away than this is another one that happens to be spelled alike. */
const REACH = 400;

/**
 * @param {string} text
 * @param {{text: string}[]} words in the order spoken
 * @param {number} after where to begin in the text
 * @returns the words with `from` and `to`, places in the text; null for a word that is not written there
 */
export function placeWords(text, words, after) {
  let cursor = after;
  return words.map((word) => {
    const written = word.text.trim();
    const from = written === "" ? -1 : text.indexOf(written, cursor);
    if (from < 0 || from - cursor > REACH) return { ...word, from: null, to: null };
    cursor = from + written.length;
    return { ...word, from, to: cursor };
  });
}
