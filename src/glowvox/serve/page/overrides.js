// Overrides of a voice's defaults: what is chosen on the page, as the body of a request.

import { recall, remember } from "./memory.js";

const PLACE = "glowvox-choice";

export class Overrides {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    const element = (id) => form.querySelector(`#${id}`);
    this.text = element("text");
    this.voice = element("voice");
    this.speaker = element("speaker");
    this.speakerField = element("speaker-field");
    this.speed = element("speed");
    this.speedValue = element("speed-value");
    this.temperatureField = element("temperature-field");
    this.numbers = { seed: element("seed"), temperature: element("temperature") };
    this.voices = [];
    const kept = this.kept();
    if (kept.speed !== undefined) this.speed.value = kept.speed;
    this.showSpeed();
    this.speed.addEventListener("input", () => this.showSpeed());
    this.voice.addEventListener("change", () => this.showSpeakers());
    form.addEventListener("change", () => this.keep());
  }

  /** @param {object[]} voices as the server lists them */
  offer(voices) {
    this.voices = voices;
    const wanted = this.kept().voice;
    const chosen = voices.find((one) => one.id === wanted) ?? voices.find((one) => one.default) ?? voices[0];
    this.voice.replaceChildren(...voices.map((one) => option(one.id, `${title(one.name)}${languageOf(one)}`)));
    this.voice.disabled = voices.length === 0;
    if (chosen !== undefined) this.voice.value = chosen.id;
    this.showSpeakers();
  }

  /** Offers what not every service knows. @param {Set<string>} fields of a request */
  allow(fields) {
    this.temperatureField.hidden = !fields.has("temperature");
  }

  /** The chosen voice; undefined while none is known. */
  get chosen() {
    return this.voices.find((one) => one.id === this.voice.value);
  }

  showSpeed() {
    this.speedValue.value = `${Number(this.speed.value).toFixed(2)}×`;
    this.speed.setAttribute("aria-valuetext", `${Number(this.speed.value)} times`);
  }

  showSpeakers() {
    const speakers = this.chosen?.speakers ?? [];
    this.speaker.replaceChildren(...speakers.map((name) => option(name, title(name))));
    this.speakerField.hidden = speakers.length < 2;
    // Whoever checks the spelling or reads the text aloud has to know.
    this.text.lang = this.chosen?.language ?? "";
  }

  /** The first field whose value is no number in its range; null if all are. */
  get wrong() {
    return Object.values(this.numbers).find((field) => !field.checkValidity()) ?? null;
  }

  /** The body of a request; what is left alone is left out, so that the voice's own values hold. */
  get body() {
    const body = { model: "glowvox", voice: this.voice.value || "default", input: this.text.value.trim() };
    if (Number(this.speed.value) !== 1) body.speed = Number(this.speed.value);
    for (const [name, field] of Object.entries(this.numbers)) if (field.value !== "" && field.checkValidity()) body[name] = Number(field.value);
    if (!this.speakerField.hidden) body.speaker = this.speaker.value;
    return body;
  }

  kept() {
    try {
      return JSON.parse(recall("localStorage", PLACE)) ?? {};
    } catch {
      return {};
    }
  }

  keep() {
    remember("localStorage", PLACE, JSON.stringify({ voice: this.voice.value, speed: this.speed.value }));
  }
}

function option(value, label) {
  const element = document.createElement("option");
  element.value = value;
  element.textContent = label;
  return element;
}

const title = (name) => name.charAt(0).toUpperCase() + name.slice(1);

function languageOf(voice) {
  try {
    return `, ${new Intl.DisplayNames(["en"], { type: "language", languageDisplay: "dialect" }).of(voice.language)}`;
  } catch {
    return voice.language ? `, ${voice.language}` : "";
  }
}
