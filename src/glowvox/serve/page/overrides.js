// Overrides of a voice's defaults: what is chosen on the page, as the body of a request.

import { recall, remember } from "./memory.js";

const PLACE = "glowvox-choice";

const number = (value, digits) => value.toFixed(digits).replace("-", "−");
/** The sliders: how each value is written, and said; a slider that nobody has moved is as the voice has it. */
const SLIDERS = {
  speed: { usual: "1.00×", written: (value) => `${number(value, 2)}×`, said: (value) => `${value} times` },
  pitch_shift: { usual: "usual", written: (value) => `${value > 0 ? "+" : ""}${number(value, 1)}`, said: (value) => `${value} semitones` },
  pitch_range: { usual: "usual", written: (value) => `${Math.round(value * 100)} %`, said: (value) => `${Math.round(value * 100)} percent` },
  sentence_pause: { usual: "usual", written: (value) => `${number(value, 2)} s`, said: (value) => `${value} seconds` },
  paragraph_pause: { usual: "usual", written: (value) => `${number(value, 2)} s`, said: (value) => `${value} seconds` },
};
const OF_A_MELODY = ["pitch_shift", "pitch_range"];
const kebab = (name) => name.replace("_", "-");

/** Event "change" when anything of the body but the text has changed. */
export class Overrides extends EventTarget {
  /**
   * @param {HTMLFormElement} form @param {import("./voice_cards.js").VoiceCards} cards
   * @param {import("./lexicon.js").Lexicon} lexicon
   */
  constructor(form, cards, lexicon) {
    super();
    const element = (id) => form.querySelector(`#${id}`);
    Object.assign(this, { form, cards, lexicon });
    this.text = element("text");
    this.speaker = element("speaker");
    this.speakerField = element("speaker-field");
    this.sliders = Object.fromEntries(Object.keys(SLIDERS).map((name) => [name, element(kebab(name))]));
    this.numbers = { temperature: element("temperature"), seed: element("seed") };
    this.known = new Set();
    this.wished = this.kept();
    for (const [name, slider] of Object.entries(this.sliders)) {
      slider.addEventListener("input", () => {
        slider.dataset.set = "";
        this.showSlider(name);
      });
      this.showSlider(name);
    }
    element("another-seed").addEventListener("click", () => {
      this.numbers.seed.value = String(Math.floor(Math.random() * 1_000_000));
      this.changed();
    });
    element("reset").addEventListener("click", () => this.apply({}));
    cards.addEventListener("change", () => {
      this.showSpeakers();
      this.changed();
    });
    lexicon.addEventListener("change", () => this.dispatchEvent(new Event("change")));
    form.addEventListener("input", ({ target }) => target !== this.text && this.changed());
    this.apply(this.wished, { quietly: true });
  }

  /** @param {object[]} voices as the server lists them */
  offer(voices) {
    this.cards.offer(voices, this.wished.voice);
    this.showSpeakers();
    if (this.wished.speaker !== undefined && !this.speakerField.hidden) this.speaker.value = this.wished.speaker;
    this.dispatchEvent(new Event("change"));
  }

  /** Offers what not every service knows. @param {Set<string>} fields of a request */
  allow(fields) {
    this.known = fields;
    this.showFields();
  }

  /** The chosen voice; undefined while none is known. */
  get chosen() {
    return this.cards.chosen;
  }

  /** Sets every setting to what is given, or else to what is usual. */
  apply(settings, { quietly = false } = {}) {
    for (const [name, slider] of Object.entries(this.sliders)) {
      const value = settings[name];
      slider.value = value ?? slider.defaultValue;
      slider.toggleAttribute("data-set", value !== undefined && value !== null);
      this.showSlider(name);
    }
    for (const [name, field] of Object.entries(this.numbers)) field.value = settings[name] ?? "";
    if (settings.voice !== undefined) this.cards.choose(settings.voice);
    this.showSpeakers();
    if (settings.speaker !== undefined) this.speaker.value = settings.speaker;
    this.wished = { ...this.wished, ...settings };
    if (!quietly) this.changed();
  }

  changed() {
    const { voice, speaker } = this.wished;
    this.wished = { ...this.settings, voice: this.cards.value || voice, speaker: this.speaker.value || speaker };
    remember("localStorage", PLACE, JSON.stringify(this.wished));
    this.dispatchEvent(new Event("change"));
  }

  showSlider(name) {
    const [slider, { usual, written, said }] = [this.sliders[name], SLIDERS[name]];
    const isSet = "set" in slider.dataset;
    const value = Number(slider.value);
    this.form.querySelector(`#${slider.id}-value`).value = isSet ? written(value) : usual;
    slider.setAttribute("aria-valuetext", isSet || name === "speed" ? said(value) : "as the voice has it");
  }

  showSpeakers() {
    const speakers = this.chosen?.speakers ?? [];
    const before = this.speaker.value;
    this.speaker.replaceChildren(...speakers.map((name) => option(name, title(name))));
    if (speakers.includes(before)) this.speaker.value = before;
    this.speakerField.hidden = speakers.length < 2;
    // Whoever checks the spelling or reads the text aloud has to know.
    this.text.lang = this.chosen?.language ?? "";
    this.showFields();
  }

  showFields() {
    const hasMelody = this.chosen?.melody === true;
    for (const name of Object.keys(this.sliders)) {
      const isHidden = name !== "speed" && (!this.known.has(name) || (OF_A_MELODY.includes(name) && !hasMelody));
      this.sliders[name].closest(".field").hidden = isHidden;
    }
    this.numbers.temperature.closest(".field").hidden = !this.known.has("temperature");
  }

  /** The first field whose value is no number in its range; null if all are. */
  get wrong() {
    return Object.values(this.numbers).find((field) => !field.checkValidity()) ?? null;
  }

  /** What is set, by the names of the request's fields; also what the voice or the service has no use for. */
  get settings() {
    const found = {};
    for (const [name, slider] of Object.entries(this.sliders)) if ("set" in slider.dataset) found[name] = Number(slider.value);
    if (found.speed === 1) delete found.speed;
    for (const [name, field] of Object.entries(this.numbers)) if (field.value !== "" && field.checkValidity()) found[name] = Number(field.value);
    return found;
  }

  /** The body of a request; what is left alone is left out, so that the voice's own values hold. */
  get body() {
    const body = { model: "glowvox", voice: this.cards.value || "default", input: this.text.value.trim(), ...this.settings };
    for (const name of Object.keys(this.sliders)) if (this.sliders[name].closest(".field").hidden) delete body[name];
    if (!this.speakerField.hidden) body.speaker = this.speaker.value;
    if (this.lexicon.size > 0) body.lexicon = this.lexicon.text;
    return body;
  }

  kept() {
    try {
      const kept = JSON.parse(recall("localStorage", PLACE)) ?? {};
      return typeof kept === "object" ? kept : {};
    } catch {
      return {};
    }
  }
}

function option(value, label) {
  const element = document.createElement("option");
  element.value = value;
  element.textContent = label;
  return element;
}

export const title = (name) => name.charAt(0).toUpperCase() + name.slice(1);
