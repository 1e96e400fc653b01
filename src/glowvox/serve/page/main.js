// Puts the page together: what is pressed goes to `Speaking`, and what that says is shown.

import { Clips } from "./clips.js";
import { copyFrom, offerFiles, save, Snippets } from "./downloads.js";
import { EXAMPLES, textByChance } from "./examples.js";
import { connectFailures } from "./failures.js";
import { Lane } from "./lane.js";
import { connectLexicon, Lexicon } from "./lexicon.js";
import { linkOf, readLink } from "./link.js";
import { recall, remember } from "./memory.js";
import { Notice } from "./notice.js";
import { Overrides } from "./overrides.js";
import { Player } from "./player.js";
import { Reading } from "./reading.js";
import { Service } from "./service.js";
import { Speaking } from "./speaking.js";
import { Stage } from "./stage.js";
import { Takes } from "./takes.js";
import { connectTransport } from "./transport.js";
import { VoiceCards } from "./voice_cards.js";
import { connectWords } from "./words_in_text.js";
import { nameOfMarkup } from "./markup.js";

const TEXT_PLACE = "glowvox-text";

const element = (id) => document.getElementById(id);
const text = element("text");
const numberFormat = new Intl.NumberFormat("en");
text.value = recall("localStorage", TEXT_PLACE) ?? text.value;

const service = new Service(document.baseURI);
const player = new Player();
const clips = new Clips();
const lexicon = new Lexicon();
const cards = new VoiceCards(element("voices"), service, clips, () => element("speaker").value);
const overrides = new Overrides(element("speech"), cards, lexicon);
const reading = new Reading(element("sheet"), text);
const lane = new Lane(element("lane"), (word, button) => words.openSpoken(word, button));
const stage = new Stage(element("stage"), () => player.position, lane);
const speaking = new Speaking({ service, player, stage, reading });
const notice = new Notice(element("notice"));
const say = (said) => (element("said").textContent = said);
const snippets = new Snippets(document.body, () => ({ base: service.base, body: overrides.body, secured: service.key !== "" }), say);

function speak() {
  clips.stop();
  notice.clear();
  text.removeAttribute("aria-invalid");
  const { wrong } = overrides;
  if (overrides.body.input === "") {
    notice.show("text", "There is nothing to say yet", "Write or paste a text first");
    text.setAttribute("aria-invalid", "true");
    text.focus();
    return;
  }
  if (wrong !== null) {
    openMore(true);
    notice.show("settings", `This ${wrong.labels[0].textContent.toLowerCase()} cannot be used`, `Choose a number from ${wrong.min} to ${wrong.max}`);
    wrong.setAttribute("aria-invalid", "true");
    wrong.focus();
    return;
  }
  words.hush();
  speaking.speak(overrides.body, text.value, overrides.chosen?.sample_rate);
}

function openMore(open) {
  element("more").hidden = !open;
  element("more-toggle").setAttribute("aria-expanded", String(open));
}

/** After the text, or how it is spoken, has changed. */
function showChanges() {
  snippets.write();
  const { recording } = speaking;
  const isOtherText = recording !== null && recording.text.trim() !== text.value.trim();
  const isOther = isOtherText || (recording !== null && !isAlike(recording.body, overrides.body));
  element("stage").toggleAttribute("data-old", isOther);
  element("old").textContent = isOther ? `The ${isOtherText ? "text has" : "settings have"} changed since` : "";
}

function showText() {
  text.removeAttribute("aria-invalid");
  notice.settle("text");
  element("count").value = `${numberFormat.format(text.value.length)} characters`;
  element("markup").textContent = nameOfMarkup(text.value);
  remember("localStorage", TEXT_PLACE, text.value);
  if (speaking.isBusy && speaking.recording.text !== text.value) speaking.reading.close(text.value);
  else if (!speaking.isBusy) reading.close(text.value);
  showChanges();
}

function write(value) {
  speaking.stop();
  text.value = value;
  showText();
  words.ask();
}

function connectForm() {
  element("speech").addEventListener("submit", (event) => {
    event.preventDefault();
    if (speaking.isBusy) speaking.stop();
    else speak();
  });
  text.addEventListener("input", showText);
  overrides.addEventListener("change", () => {
    notice.settle("settings", "text");
    for (const field of Object.values(overrides.numbers)) field.removeAttribute("aria-invalid");
    showChanges();
  });
  speaking.addEventListener("state", showChanges);
  cards.addEventListener("failure", ({ detail }) => fail(detail));
  element("more-toggle").addEventListener("click", () => openMore(element("more").hidden));
  for (const button of document.querySelectorAll("[data-example]")) {
    button.addEventListener("click", () => write(EXAMPLES[button.dataset.example] ?? textByChance(text.lang || "en", text.value)));
  }
  element("link").addEventListener("click", () => {
    element("link-address").textContent = linkOf(location.href, text.value, overrides.body);
    copyFrom(element("link-address"), element("link"), say);
  });
}

/** Takes what the address carries, once: later a reload shall find what was written since. */
function followLink() {
  const found = readLink(location.hash);
  if (found === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  overrides.apply(found.settings);
  if (found.settings.lexicon !== undefined) lexicon.add(found.settings.lexicon);
  write(found.text);
}

function isAlike(one, other) {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  names.delete("input");
  return [...names].every((name) => one[name] === other[name]);
}

function connectKeys() {
  const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);
  element("speak-key").textContent = isApple ? "⌘" : "Ctrl";
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      speak();
    } else if (event.key === "Escape") {
      if (words.close()) return;
      notice.clear();
      clips.stop();
      speaking.stop();
    }
  });
}

connectForm();
connectKeys();
connectTransport({ speaking, player, stage, reading, say });
const fail = connectFailures({ service, speaking, overrides, notice, speak });
const words = connectWords({ service, speaking, lexicon, clips, overrides, reading, lane, text, fail });
const files = { service, fail };
const offer = offerFiles(element("files"), files, "speech");
const offerShown = () => offer(speaking.recording?.complete ? speaking.recording : null);
for (const kind of ["state", "arrived"]) speaking.addEventListener(kind, offerShown);
new Takes(element("takes"), speaking, stage, files);
connectLexicon(element("lexicon"), lexicon, say, save);
window.addEventListener("hashchange", followLink);
followLink();
showText();
words.ask();
