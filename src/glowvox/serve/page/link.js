// A link that carries the text and the settings. They stand behind the "#", which browsers never send to a server.

const NUMBERS = new Set(["speed", "pitch_shift", "pitch_range", "sentence_pause", "paragraph_pause", "temperature", "seed"]);
const NAMES = ["voice", "speaker", ...NUMBERS, "lexicon"];

/** @param {string} address of the page @param {string} text @param {object} body of the request */
export function linkOf(address, text, body) {
  const parts = new URLSearchParams({ text });
  for (const name of NAMES) if (body[name] !== undefined) parts.set(name, body[name]);
  const url = new URL(address);
  url.hash = parts.toString();
  return url.href;
}

/** Returns {text, settings} of the address, or null where it carries none. */
export function readLink(hash) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  if (!parts.has("text")) return null;
  const settings = {};
  for (const name of NAMES) {
    const value = parts.get(name);
    if (value === null || (NUMBERS.has(name) && !Number.isFinite(Number(value)))) continue;
    settings[name] = NUMBERS.has(name) ? Number(value) : value;
  }
  return { text: parts.get("text"), settings };
}
