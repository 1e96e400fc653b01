// The voices as cards: who speaks, in which language; each can be heard before it is chosen.

import { title } from "./overrides.js";

/** Event "change" when another voice is chosen; "failure" with what went wrong as its detail. */
export class VoiceCards extends EventTarget {
  /**
   * @param {HTMLElement} root @param {import("./service.js").Service} service @param {import("./clips.js").Clips} clips
   * @param {() => string | undefined} speaker that is chosen
   */
  constructor(root, service, clips, speaker) {
    super();
    Object.assign(this, { root, service, clips, speaker });
    this.voices = [];
    this.wanted = null;
    root.addEventListener("change", () => this.dispatchEvent(new Event("change")));
  }

  /** @param {object[]} voices as the server lists them @param {string | undefined} wanted the id of one, if it is there */
  offer(voices, wanted) {
    const before = this.value;
    this.voices = voices;
    this.root.replaceChildren(...voices.map((voice) => this.card(voice)));
    const has = (id) => voices.some((one) => one.id === id);
    const usual = voices.find((one) => one.default) ?? voices[0];
    this.choose([this.wanted, before, wanted].find(has) ?? usual?.id);
  }

  card(voice) {
    const [card, label, radio, name, about, hear] = ["div", "label", "input", "b", "span", "button"].map((tag) => document.createElement(tag));
    card.className = "voice";
    Object.assign(radio, { type: "radio", name: "voice", value: voice.id });
    name.textContent = title(voice.name);
    about.textContent = aboutOf(voice);
    about.className = "note";
    label.append(radio, name, about);
    if (voice.description) label.title = voice.description;
    hear.type = "button";
    hear.className = "hear";
    hear.setAttribute("aria-label", `Hear ${title(voice.name)}`);
    hear.addEventListener("click", () => this.hear(voice, hear));
    card.append(label, hear);
    return card;
  }

  async hear(voice, button) {
    const speaker = voice.id === this.value && voice.speakers?.length > 1 ? this.speaker() : undefined;
    try {
      await this.clips.play(`${voice.id}/${speaker ?? ""}`, () => this.service.sample(voice.id, speaker), button);
    } catch (failure) {
      this.dispatchEvent(new CustomEvent("failure", { detail: failure }));
    }
  }

  /** Chooses a voice by its id; one that is not there yet is chosen when it comes. */
  choose(id) {
    const isThere = this.voices.some((one) => one.id === id);
    this.wanted = isThere ? null : (id ?? null);
    if (!isThere) return;
    for (const radio of this.root.querySelectorAll("input")) radio.checked = radio.value === id;
  }

  /** The id of the chosen voice; "" while there is none. */
  get value() {
    return this.root.querySelector("input:checked")?.value ?? "";
  }

  get chosen() {
    return this.voices.find((one) => one.id === this.value);
  }
}

function aboutOf(voice) {
  const parts = [languageOf(voice.language)];
  if (voice.speakers?.length > 1) parts.push(`${voice.speakers.length} speakers`);
  if (voice.licence) parts.push(voice.licence);
  return parts.filter((one) => one !== "").join(" · ");
}

function languageOf(language) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language", languageDisplay: "dialect" }).of(language);
  } catch {
    return language ?? "";
  }
}
