// What the translated front end needs of Python: truth, equality, slices, methods of strings, lists, sets and
// dictionaries, patterns. Positions count UTF-16 units; a character is never cut in two.

import { Match, Pattern, regex } from "./pattern.js";
import { KeyError, ValueError } from "./python_errors.js";
import { characterIn, str, stringMethods } from "./strings.js";

export { regex };
export * from "./python_errors.js";
export { format, repr, str } from "./strings.js";
export { floatOf as float, intOf as int } from "./strings.js";
export * as unicodedata from "./unicode.js";
export { crc32 } from "./crc32.js";


export const string = { punctuation: "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" };
export const math = { inf: Infinity, log2: Math.log2 };
export const re = { escape: (text) => text.replace(/[^\p{L}\p{N}_]/gu, "\\$&") };

// --- Truth, order, equality -------------------------------------------------------------------------------------

export function t(value) {
  if (value == null || value === false || value === 0 || value === "") return false;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map || value instanceof Set) return value.size > 0;
  return typeof value.__len__ === "function" ? value.__len__() > 0 : true;
}
export const and = (one, other) => (t(one) ? other() : one);
export const or = (one, other) => (t(one) ? one : other());

export function eq(one, two) {
  if (one === two) return true;
  if (one == null || two == null) return one == two;
  if (Array.isArray(one)) return Array.isArray(two) && one.length === two.length && one.every((each, i) => eq(each, two[i]));
  if (one instanceof Map) {
    if (!(two instanceof Map) || one.size !== two.size) return false;
    return [...one].every(([key, value]) => two.has(key) && eq(value, two.get(key)));
  }
  if (one instanceof Set) return two instanceof Set && one.size === two.size && [...one].every((each) => two.has(each));
  return false;
}

export function compare(one, two) {
  if (Array.isArray(one)) {
    for (let i = 0; i < Math.min(one.length, two.length); i++) {
      const order = compare(one[i], two[i]);
      if (order) return order;
    }
    return one.length - two.length;
  }
  return one < two ? -1 : one > two ? 1 : 0;
}
export const lt = (one, two) => (one instanceof Set ? one.size < two.size && le(one, two) : compare(one, two) < 0);
export const le = (one, two) => (one instanceof Set ? [...one].every((each) => two.has(each)) : compare(one, two) <= 0);
export const gt = (one, two) => lt(two, one);
export const ge = (one, two) => le(two, one);

// --- Keys: a row is equal to another with the same parts ----------------------------------------------------------

const rows = new Map();
function keyed(key) {
  if (!Array.isArray(key)) return key;
  const name = JSON.stringify(key);
  const known = rows.get(name);
  if (known) return known;
  if (rows.size > 50_000) rows.clear();
  rows.set(name, key);
  return key;
}
export const set_of = (values) => new Set(Array.from(iter(values), keyed));
export const dict = (pairs = []) =>
  new Map(pairs instanceof Map ? pairs : Array.from(iter(pairs), ([key, value]) => [keyed(key), value]));
export const items = (value) => [...value];
export const dict_fromkeys = (keys, value = null) => new Map(Array.from(iter(keys), (key) => [keyed(key), value]));

// --- Containers ---------------------------------------------------------------------------------------------------

export function iter(value) {
  if (value instanceof Map) return value.keys();
  return value; // strings give whole characters
}
export function len(value) {
  if (typeof value === "string" || Array.isArray(value) || value instanceof Uint8Array) return value.length;
  return value instanceof Map || value instanceof Set ? value.size : value.__len__();
}
export function get(value, index) {
  if (typeof value === "string") {
    const found = characterIn(value, index < 0 ? value.length + index : index);
    if (found === undefined) throw new RangeError(`no character ${index} in a string of ${value.length}`);
    return found;
  }
  if (Array.isArray(value)) {
    const place = Number(index); // a truth value counts, too
    const found = value[place < 0 ? value.length + place : place];
    if (found === undefined) throw new RangeError(`no place ${index} in a row of ${value.length}`);
    return found;
  }
  if (value instanceof Map) {
    const found = value.get(keyed(index));
    if (found === undefined) throw new KeyError(String(index));
    return found;
  }
  if (value instanceof Match) return value.group(index);
  throw new TypeError(`cannot take a part of ${value}`);
}
export function put(value, index, made) {
  if (value instanceof Map) value.set(keyed(index), made);
  else value[index < 0 ? value.length + index : index] = made;
}
export function slice(value, start, end, step) {
  const bound = (place, usual) => (place == null ? usual : Math.max(0, place < 0 ? value.length + place : place));
  if (step != null && step !== 1) {
    if (step !== -1 || start != null || end != null) throw new RangeError("only whole rows are turned round");
    return typeof value === "string" ? [...value].reverse().join("") : [...value].reverse();
  }
  const [first, last] = [bound(start, 0), bound(end, value.length)];
  return typeof value === "string" ? value.slice(whole(value, first), whole(value, last)) : value.slice(first, last);
}
// A place inside of a character is the one before it.
function whole(text, place) {
  const unit = text.charCodeAt(place);
  return unit >= 0xdc00 && unit < 0xe000 && place > 0 ? place - 1 : place;
}
export function has(container, value) {
  if (typeof container === "string") return container.includes(value);
  if (Array.isArray(container)) return container.some((each) => eq(each, value));
  if (container instanceof Map || container instanceof Set) return container.has(keyed(value));
  if (container && typeof container.start === "number" && container.isRange)
    return value >= container.start && value < container.stop;
  throw new TypeError(`cannot look into ${container}`);
}
export function add(one, two) {
  return Array.isArray(one) ? one.concat(two) : one + two;
}
export function iadd(one, two) {
  if (!Array.isArray(one)) return one + two;
  one.push(...iter(two));
  return one;
}
export function sub(one, two) {
  return one instanceof Set ? new Set([...one].filter((each) => !two.has(each))) : one - two;
}
export function mul(one, two) {
  if (typeof one === "string") return one.repeat(Math.max(0, two));
  if (Array.isArray(one)) return Array.from({ length: Math.max(0, two) }, () => one).flat();
  return one * two;
}
export const mod = (one, two) => ((one % two) + two) % two;
export const floordiv = (one, two) => Math.floor(one / two);
export function bor(one, two) {
  if (one instanceof Set) return new Set([...one, ...two]);
  return one instanceof Map ? new Map([...one, ...two]) : one | two;
}

// --- Functions of Python ------------------------------------------------------------------------------------------

class Named {
  constructor(values) {
    Object.assign(this, values);
  }
}
export const kw = (values) => new Named(values);
function named(given) {
  return given.length && given.at(-1) instanceof Named ? given.pop() : {};
}

export function sorted(...given) {
  const { key = (value) => value, reverse = false } = named(given);
  const found = Array.from(iter(given[0]), (value) => [key(value), value]);
  found.sort((one, two) => (reverse ? compare(two[0], one[0]) : compare(one[0], two[0])));
  return found.map(([, value]) => value);
}
function extreme(sign, given) {
  const { key = (value) => value, default: usual } = named(given);
  const values = given.length === 1 ? [...iter(given[0])] : given;
  if (!values.length) {
    if (usual !== undefined) return usual;
    throw new ValueError("nothing to choose from");
  }
  let best = values[0];
  let bestKey = key(best);
  for (const value of values.slice(1)) {
    const own = key(value);
    if (sign * compare(own, bestKey) > 0) [best, bestKey] = [value, own];
  }
  return best;
}
export const max = (...given) => extreme(1, given);
export const min = (...given) => extreme(-1, given);
export const sum = (values) => [...iter(values)].reduce((total, value) => total + Number(value), 0);
export const any = (values) => [...iter(values)].some(t);
export const all = (values) => [...iter(values)].every(t);
export const iterator = (values) => iter(values)[Symbol.iterator]();
export function next(values, ...usual) {
  const found = (typeof values.next === "function" ? values : values[Symbol.iterator]()).next();
  if (!found.done) return found.value;
  if (usual.length) return usual[0];
  throw new RangeError("there is no next value");
}
export const enumerate = (values, start = 0) => Array.from(iter(values), (value, place) => [place + start, value]);
export function zip(...given) {
  named(given); // strict
  const all = given.map((values) => [...iter(values)]);
  return Array.from({ length: Math.min(...all.map((each) => each.length)) }, (_, i) => all.map((each) => each[i]));
}
export function range(start, stop, step = 1) {
  if (stop === undefined) [start, stop] = [0, start];
  const found = [];
  for (let value = start; step > 0 ? value < stop : value > stop; value += step) found.push(value);
  return found;
}
export const list = (values = []) => [...iter(values)];
export const tuple = list;
export const set = (values = []) => set_of(values);
export const frozenset = (values = []) => set_of(values);
export const bool = t;
export const map = (make, ...rows) => zip(...rows).map((each) => make(...each));
export const filter = (test, values) => [...iter(values)].filter((value) => t(test === null ? value : test(value)));
export const reversed = (values) => [...iter(values)].reverse();
export const pairwise = (values) => [...iter(values)].slice(1).map((value, i) => [[...iter(values)][i], value]);
export const chr = (code) => String.fromCodePoint(code);
export const ord = (sign) => sign.codePointAt(0);
export const abs = Math.abs;
export const getattr = (value, name) => value[name];
export function isinstance(value, kind) {
  return kind === str ? typeof value === "string" : value instanceof kind;
}
export function bisect_left(values, wanted) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(values[middle], wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
export function bisect_right(...given) {
  const { key = (value) => value } = named(given);
  const [values, wanted] = given;
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(wanted, key(values[middle])) < 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
export function replace(value, changes) {
  return Object.assign(Object.create(Object.getPrototypeOf(value)), value, { ...changes });
}

// --- Calls ----------------------------------------------------------------------------------------------------------

export function fn(made, params) {
  made.$params = params;
  return made;
}
export function describe(kind, params) {
  for (const [name, own] of Object.entries(params)) {
    const made = kind.prototype[name] ?? kind[name];
    if (typeof made === "function") made.$params = own;
  }
}
function placed(params, given, words) {
  const values = [...given];
  for (const [name, value] of Object.entries(words)) {
    const place = params.indexOf(name);
    if (place < 0) throw new TypeError(`no parameter ${name} among ${params}`);
    while (values.length < place) values.push(undefined);
    values[place] = value;
  }
  return values;
}
export const make = (kind, given, words) => new kind(...placed(kind.$params, given, words));
export const call = (made, given, words) => made(...placed(made.$params, given, words));
export function mk(name, value, given, words) {
  const made = own(value, name);
  if (!made) return m(name, value, ...given, kw(words));
  if (!made.$params && typeof value[name] !== "function") return value[name].__call__(...given, ...Object.values(words));
  return made.apply(value, placed(made.$params, given, words));
}
function own(value, name) {
  const native = value == null || typeof value !== "object" || Array.isArray(value) || value instanceof Map;
  return native || value instanceof Set ? undefined : value[name];
}
export function m(name, value, ...given) {
  if (typeof value === "string") return stringMethods[name](value, ...given);
  const methods = Array.isArray(value) ? listMethods : value instanceof Map ? mapMethods : value instanceof Set ? setMethods : null;
  if (methods) return methods[name](value, ...given);
  const made = value[name];
  if (typeof made === "function") return made.apply(value, given);
  return made.__call__(...given);
}
export const bound = (value, name) => {
  const found = value[name];
  return typeof found === "function" ? Object.assign(found.bind(value), { $params: found.$params }) : found;
};
export const unbound = (name) => (value, ...given) => m(name, value, ...given);

const listMethods = {
  append: (own, value) => void own.push(value),
  extend: (own, values) => void own.push(...iter(values)),
  pop: (own, place = own.length - 1) => own.splice(place, 1)[0],
  clear: (own) => void own.splice(0),
  insert: (own, place, value) => void own.splice(place, 0, value),
  index: (own, value) => own.findIndex((each) => eq(each, value)),
  count: (own, value) => own.filter((each) => eq(each, value)).length,
};
const mapMethods = {
  get: (own, key, usual = null) => own.get(keyed(key)) ?? usual,
  items: (own) => [...own],
  keys: (own) => [...own.keys()],
  values: (own) => [...own.values()],
  update: (own, other) => {
    for (const [key, value] of other) own.set(keyed(key), value);
  },
  setdefault: (own, key, value) => {
    if (!own.has(keyed(key))) own.set(keyed(key), value);
    return own.get(keyed(key));
  },
  pop: (own, key, usual = null) => {
    const found = own.get(key) ?? usual;
    own.delete(key);
    return found;
  },
};
const setMethods = {
  add: (own, value) => void own.add(keyed(value)),
  update: (own, values) => {
    for (const value of iter(values)) own.add(keyed(value));
  },
  issuperset: (own, values) => [...iter(values)].every((value) => own.has(value)),
};

export { Match, Pattern };
