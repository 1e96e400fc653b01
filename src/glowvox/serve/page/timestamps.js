// The times of the words as files: SubRip and WebVTT subtitles, and JSON. A cue for each sentence, more where one is
// too long to be read at once.

/** Two lines of 42 characters, and seven seconds: what subtitles have. */
const MOST_CHARACTERS = 84;
const MOST_SECONDS = 7;

/** @param {{text, start, end, before, after, ends_sentence}[]} words in the order spoken @returns {string} SubRip */
export function srtFile(words) {
  return cues(words)
    .map((cue, index) => `${index + 1}\n${clock(cue.start, ",")} --> ${clock(cue.end, ",")}\n${cue.text}\n`)
    .join("\n");
}

/** @param {object[]} words see `srtFile` @returns {string} WebVTT; `<` and `&` are written as entities */
export function vttFile(words) {
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const blocks = cues(words).map((cue) => `${clock(cue.start, ".")} --> ${clock(cue.end, ".")}\n${escaped(cue.text)}\n`);
  return ["WEBVTT\n", ...blocks].join("\n");
}

/** @param {object[]} words see `srtFile` @param {number} duration seconds @returns {string} JSON */
export function timesFile(words, duration) {
  const known = words.map(({ text, start, end, ends_sentence, phonemes }) => ({ text, start, end, ends_sentence, phonemes }));
  return `${JSON.stringify({ duration: Number(duration.toFixed(4)), words: known }, null, 1)}\n`;
}

function cues(words) {
  const found = [];
  let row = [];
  const close = () => {
    if (row.length > 0) found.push({ text: written(row), start: row[0].start, end: row.at(-1).end });
    row = [];
  };
  for (const word of words) {
    const isTooMuch = written([...row, word]).length > MOST_CHARACTERS || (row.length > 0 && word.end - row[0].start > MOST_SECONDS);
    if (isTooMuch) close();
    row.push(word);
    if (word.ends_sentence) close();
  }
  close();
  return found;
}

function written(row) {
  const whole = row.map((word) => (word.before ?? "") + word.text + (word.after ?? " ")).join("");
  return whole.split(/\s+/).filter((part) => part !== "").join(" ");
}

function clock(seconds, separator) {
  const total = Math.round(seconds * 1000);
  const part = (size, digits, wrap) => String(Math.floor(total / size) % wrap).padStart(digits, "0");
  return `${part(3600000, 2, 100)}:${part(60000, 2, 60)}:${part(1000, 2, 60)}${separator}${part(1, 3, 1000)}`;
}
