// Patterns with the methods of Python's `re`, over JavaScript's own (flag v).

const known = new Map();

export function regex(source, groups) {
  let found = known.get(source);
  if (!found) known.set(source, (found = new Pattern(source, groups)));
  return found;
}

export class Match {
  constructor(found, string, groups, indices) {
    this.found = found;
    this.string = string;
    this.groupNames = groups;
    this.place = found.index;
    this.indices = indices;
  }

  group(...names) {
    if (names.length > 1) return names.map((name) => this.group(name));
    const name = names[0] ?? 0;
    if (name === 0) return this.found[0];
    const value = this.found.groups[typeof name === "number" ? this.groupNames[name - 1] : name];
    return value === undefined ? null : value;
  }

  groupdict() {
    const named = this.groupNames.filter((name) => !name.startsWith("$"));
    return new Map(named.map((name) => [name, this.group(name)]));
  }

  groups() {
    return this.groupNames.map((name) => this.group(name));
  }

  start(name) {
    return name === undefined ? this.place : this.spanOf(name)[0];
  }

  end(name) {
    return name === undefined ? this.place + this.found[0].length : this.spanOf(name)[1];
  }

  span() {
    return [this.start(), this.end()];
  }

  spanOf(name) {
    const again = this.indices(this.place);
    return again.indices.groups[typeof name === "number" ? this.groupNames[name - 1] : name] ?? [-1, -1];
  }
}

export class Pattern {
  constructor(source, groups) {
    this.source = source;
    this.groupNames = groups;
    this.sticky = new RegExp(source, "vy");
    this.anywhere = null;
    this.entire = null;
    this.exact = null;
  }

  run(expression, string, start, end) {
    const text = end === undefined || end >= string.length ? string : string.slice(0, Math.max(0, end));
    if (start > text.length) return null;
    expression.lastIndex = Math.max(0, start);
    const found = expression.exec(text);
    if (!found) return null;
    return new Match(found, string, this.groupNames, (place) => {
      this.exact ??= new RegExp(this.source, "vyd");
      this.exact.lastIndex = place;
      return this.exact.exec(text);
    });
  }

  match(string, start = 0, end = undefined) {
    return this.run(this.sticky, string, start, end);
  }

  search(string, start = 0, end = undefined) {
    this.anywhere ??= new RegExp(this.source, "vg");
    return this.run(this.anywhere, string, start, end);
  }

  fullmatch(string, start = 0, end = undefined) {
    this.entire ??= new RegExp(`(?:${this.source})$`, "vy");
    return this.run(this.entire, string, start, end);
  }

  finditer(string, start = 0, end = undefined) {
    const found = [];
    let place = start;
    for (;;) {
      const match = this.search(string, place, end);
      if (!match) return found;
      found.push(match);
      place = match.end() > match.start() ? match.end() : match.end() + 1;
    }
  }

  findall(string) {
    return this.finditer(string).map((match) => {
      if (!this.groupNames.length) return match.group();
      const groups = match.groups().map((group) => group ?? "");
      return groups.length === 1 ? groups[0] : groups;
    });
  }

  sub(made, string) {
    const text = [];
    let place = 0;
    for (const match of this.finditer(string)) {
      text.push(string.slice(place, match.start()));
      text.push(typeof made === "string" ? expanded(made, match) : made(match));
      place = match.end();
    }
    return text.join("") + string.slice(place);
  }

  split(string) {
    const parts = [];
    let place = 0;
    for (const match of this.finditer(string)) {
      parts.push(string.slice(place, match.start()), ...match.groups());
      place = match.end();
    }
    return [...parts, string.slice(place)];
  }
}

function expanded(template, match) {
  return template.replace(/\\(?:g<(\w+)>|(\d+)|(.))/gs, (_, name, number, sign) => {
    if (name !== undefined) return match.group(/^\d+$/.test(name) ? Number(name) : name) ?? "";
    return number !== undefined ? (match.group(Number(number)) ?? "") : sign;
  });
}
