// Methods of Python's strings, with its results: what is white space, a letter, a digit.

import { ValueError } from "./python_errors.js";

const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\p{Z}";
const LEADING = new RegExp(`^[${SPACE}]+`, "v");
const TRAILING = new RegExp(`[${SPACE}]+$`, "v");
const SPACES = new RegExp(`[${SPACE}]+`, "v");
const ALL_SPACE = new RegExp(`^[${SPACE}]+$`, "v");
const ALNUM = /^[\p{L}\p{N}]+$/v;
const ALPHA = /^\p{L}+$/v;
const DECIMAL = /^\p{Nd}+$/v;
const UPPER = /\p{Uppercase}/v;
const LOWER = /\p{Lowercase}/v;
const NO_UPPER = /[\p{Uppercase}\p{Lt}]/v;
const NO_LOWER = /[\p{Lowercase}\p{Lt}]/v;

export function characterIn(text, place) {
  const unit = text.charCodeAt(place);
  if (Number.isNaN(unit)) return undefined;
  return unit >= 0xd800 && unit < 0xdc00 ? String.fromCodePoint(text.codePointAt(place)) : text[place];
}

function digitValue(sign) {
  if (sign >= "0" && sign <= "9") return Number(sign);
  // Decimal digits of any script stand in rows of ten that begin with their zero.
  let code = sign.codePointAt(0);
  let value = 0;
  while (value < 9 && /^\p{Nd}$/v.test(String.fromCodePoint(code - 1))) [code, value] = [code - 1, value + 1];
  return value;
}

export function intOf(text) {
  if (typeof text === "number") return Math.trunc(text);
  if (typeof text === "boolean") return Number(text);
  const plain = [...text].map((sign) => (/^\p{Nd}$/v.test(sign) ? digitValue(sign) : sign)).join("");
  if (!/^\s*[-+]?\d+\s*$/.test(plain)) throw new ValueError(`not a whole number: ${text}`);
  const value = Number(plain);
  return Number.isSafeInteger(value) ? value : BigInt(plain);
}
export const floatOf = (text) => Number(text);

export function str(value) {
  if (value == null) return "None";
  if (value === true || value === false) return value ? "True" : "False";
  return typeof value === "object" ? repr(value) : String(value);
}
export function repr(value) {
  if (typeof value !== "string") return Array.isArray(value) ? `[${value.map(repr).join(", ")}]` : String(value);
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const inside = value.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`).replaceAll("\n", "\\n");
  return quote + inside.replaceAll("\t", "\\t").replaceAll("\r", "\\r") + quote;
}
export function format(value, spec) {
  if (spec === "g") return String(Number(Number(value).toPrecision(6)));
  if (spec === ",") return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
  const sign = /^\+?d$/.exec(spec);
  if (sign) return (spec[0] === "+" && value >= 0 ? "+" : "") + value;
  throw new TypeError(`no such form of a number: ${spec}`);
}

const stripped = (text, signs, where) => {
  if (signs == null) {
    const started = where.includes("l") ? text.replace(LEADING, "") : text;
    return where.includes("r") ? started.replace(TRAILING, "") : started;
  }
  const inside = new Set(signs);
  const all = [...text];
  let start = 0;
  let end = all.length;
  if (where.includes("l")) while (start < end && inside.has(all[start])) start++;
  if (where.includes("r")) while (end > start && inside.has(all[end - 1])) end--;
  return all.slice(start, end).join("");
};
const any = (text, ends, test) => (Array.isArray(ends) ? ends.some((each) => test(text, each)) : test(text, ends));

export const stringMethods = {
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
  casefold: (text) => text.toLowerCase().replaceAll("ß", "ss"),
  capitalize: (text) => {
    const first = characterIn(text, 0) ?? "";
    return first.toUpperCase() + text.slice(first.length).toLowerCase();
  },
  title: (text) => text.replace(/\p{L}+/gv, (word) => stringMethods.capitalize(word)),
  strip: (text, signs) => stripped(text, signs, "lr"),
  lstrip: (text, signs) => stripped(text, signs, "l"),
  rstrip: (text, signs) => stripped(text, signs, "r"),
  split: (text, sign = null, most = -1) => {
    if (sign == null) return stripped(text, null, "lr").split(SPACES).filter((part) => part);
    const parts = text.split(sign);
    return most < 0 || parts.length <= most + 1 ? parts : [...parts.slice(0, most), parts.slice(most).join(sign)];
  },
  rsplit: (text, sign = null, most = -1) => {
    const parts = stringMethods.split(text, sign);
    const head = parts.length - 1 - most;
    if (most < 0 || head <= 0) return parts;
    if (sign == null) throw new TypeError("white space is split from the left only");
    return [parts.slice(0, head + 1).join(sign), ...parts.slice(head + 1)];
  },
  splitlines: (text) => {
    const lines = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
    if (lines.at(-1) === "") lines.pop();
    return lines;
  },
  join: (text, parts) => [...parts].join(text),
  startswith: (text, start, ...place) => any(place.length ? text.slice(place[0]) : text, start, (one, two) => one.startsWith(two)),
  endswith: (text, end) => any(text, end, (one, two) => one.endsWith(two)),
  removeprefix: (text, start) => (start && text.startsWith(start) ? text.slice(start.length) : text),
  removesuffix: (text, end) => (end && text.endsWith(end) ? text.slice(0, -end.length) : text),
  partition: (text, sign) => {
    const place = text.indexOf(sign);
    return place < 0 ? [text, "", ""] : [text.slice(0, place), sign, text.slice(place + sign.length)];
  },
  rpartition: (text, sign) => {
    const place = text.lastIndexOf(sign);
    return place < 0 ? ["", "", text] : [text.slice(0, place), sign, text.slice(place + sign.length)];
  },
  replace: (text, old, made) => text.replaceAll(old, () => made),
  translate: (text, table) =>
    Array.from(text, (sign) => {
      const made = table.get(sign.codePointAt(0));
      return made === undefined ? sign : made === null ? "" : typeof made === "number" ? String.fromCodePoint(made) : made;
    }).join(""),
  ljust: (text, width, sign = " ") => text.padEnd(width, sign),
  rjust: (text, width, sign = " ") => text.padStart(width, sign),
  count: (text, part) => text.split(part).length - 1,
  find: (text, part, start = 0, end = text.length) => text.slice(0, end).indexOf(part, start),
  rfind: (text, part, start = 0, end = text.length) => {
    const place = text.slice(0, end).lastIndexOf(part);
    return place < start ? -1 : place;
  },
  isspace: (text) => ALL_SPACE.test(text),
  isalnum: (text) => ALNUM.test(text),
  isalpha: (text) => ALPHA.test(text),
  isdecimal: (text) => DECIMAL.test(text),
  isdigit: (text) => /^[\p{Nd}²³¹⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐]+$/v.test(text),
  isupper: (text) => UPPER.test(text) && !NO_LOWER.test(text),
  islower: (text) => LOWER.test(text) && !NO_UPPER.test(text),
  isascii: (text) => /^[\x00-\x7f]*$/.test(text),
  isprintable: (text) => !/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/v.test(text),
  format: (text, ...given) => text.replace(/\{\}/g, () => str(given.shift())),
  encode: (text) => new TextEncoder().encode(text),
};
