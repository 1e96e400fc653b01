// A voice: text in, sentences with their samples out, one after the other.

import { collected } from "./collected.js";
import { Engine } from "./engine.js";
import { TextError } from "./errors.js";
import { frontEnd } from "./front_end.js";
import { sentenceSeed } from "./seeds.js";
import { unpacked } from "./tables.js";

const LONG = 4000; // characters from which on a text is read paragraph by paragraph, not at once
const [SLOWEST, FASTEST] = [0.1, 10];

export class Voice {
  /** Fetches the voice's files and opens them; see `load` in glowvox.d.ts. */
  static async open({ ort, base, lexicon = "", progress = () => {}, fetch = globalThis.fetch.bind(globalThis) }) {
    const place = new URL("data/", base);
    const get = async (name, size) => {
      const answer = await fetch(new URL(name, place));
      if (!answer.ok) throw new Error(`${new URL(name, place)}: the server answered ${answer.status}`);
      return unpacked(await received(answer, name, size));
    };
    let done = 0;
    const received = async (answer, name, size) => {
      if (!answer.body || !size) return new Uint8Array(await answer.arrayBuffer());
      const parts = [];
      for (const reader = answer.body.getReader(); ; ) {
        const { done: ended, value } = await reader.read();
        if (ended) break;
        parts.push(value);
        done += value.length;
        progress(done, total);
      }
      return new Uint8Array(await new Blob(parts).arrayBuffer());
    };
    const card = JSON.parse(new TextDecoder().decode(await get("voice.json")));
    const total = Object.values(card.files).reduce((sum, size) => sum + size, 0);
    const names = Object.keys(card.files);
    const contents = await Promise.all(names.map((name) => get(name, card.files[name])));
    const files = Object.fromEntries(names.map((name, place) => [name.replace(".bin", ""), contents[place]]));
    const engine = await Engine.open(ort, files.model, card);
    return new Voice(card, frontEnd(files, card, lexicon), engine);
  }

  constructor(card, reader, engine) {
    this.card = card;
    this.reader = reader;
    this.engine = engine;
    this.name = card.name;
    this.language = card.language;
    this.licence = card.licence;
    this.sampleRate = card.sample_rate;
    this.speakers = card.speakers;
    this.defaults = card.defaults;
  }

  read(text, options = {}) {
    const { sentencePause, paragraphPause, pauseTags } = this.settled(options);
    const { sentences, warnings } = this.reader.process(String(text), { sentencePause, paragraphPause, pauseTags });
    return { sentences, warnings };
  }

  async *stream(text, options = {}) {
    const own = this.settled(options);
    const whole = String(text);
    let said = false;
    for (const [part, start] of paragraphs(whole)) {
      const { sentences, warnings } = this.reader.process(part, {
        ...own,
        lastPause: start + part.length < whole.length ? own.paragraphPause : 0,
      });
      for (const sentence of sentences) {
        own.signal?.throwIfAborted();
        const span = sentence.span.map((place) => place + start);
        const silence = new Float32Array(Math.round(sentence.pause * this.sampleRate));
        let samples = silence;
        if (sentence.tokens.length) {
          // Python counts characters, JavaScript units of 16 bits.
          const place = [...whole.slice(0, span[0])].length;
          const spoken = await this.engine.speak(sentence.tokens, { ...own, seed: sentenceSeed(own.seed, place) });
          own.signal?.throwIfAborted();
          samples = new Float32Array(spoken.length + silence.length);
          samples.set(spoken);
        }
        if (!samples.length) continue;
        said = true;
        yield { ...sentence, span, samples, sampleRate: this.sampleRate, warnings: warnings.splice(0) };
      }
    }
    if (!said) throw new TextError("nothing to say: the text holds no word that can be spoken");
  }

  say(text, options = {}) {
    return collected(this, text, options);
  }

  async close() {
    await this.engine.close();
  }

  settled(options) {
    const own = { ...this.defaults, speaker: this.speakers[0], ...withoutHoles(options) };
    const number = (name, least, most) => {
      if (typeof own[name] !== "number" || !(own[name] >= least && own[name] <= most)) {
        throw new RangeError(`${name} must be a number from ${least} to ${most}, got ${own[name]}`);
      }
    };
    number("speed", SLOWEST, FASTEST);
    number("temperature", 0, 100);
    number("sigma", 0, 100);
    number("sentencePause", 0, 60);
    number("paragraphPause", 0, 60);
    if (!Number.isSafeInteger(own.seed) || own.seed < 0) throw new RangeError(`seed must be a whole number from 0 on, got ${own.seed}`);
    if (!this.speakers.includes(own.speaker)) throw new RangeError(`no speaker ${own.speaker}: ${this.speakers.join(", ")}`);
    return own;
  }
}

const withoutHoles = (options) => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

/** Yields the parts of a text that are read at once, with the places where they begin. */
function* paragraphs(text) {
  if (text.length < LONG || text.includes("[pause")) {
    yield [text, 0];
    return;
  }
  let start = 0;
  for (const match of text.matchAll(/\n[ \t\r]*\n\s*/g)) {
    const end = match.index + match[0].length;
    if (!text.slice(start, end).trim()) continue;
    yield [text.slice(start, end), start];
    start = end;
  }
  if (text.slice(start).trim()) yield [text.slice(start), start];
}
