// The words of the text and of the speech: marked where something is to be known about them, and each with its card.

import { Explaining } from "./explaining.js";
import { WordCard } from "./word_card.js";

const MOST_WARNINGS = 6;

/** Returns {ask, hush, openSpoken, close}: asks how the text is read, or not now; opens the card of a spoken word; closes the card. */
export function connectWords({ service, speaking, lexicon, clips, overrides, reading, lane, text, fail }) {
  const explaining = new Explaining(service, () => overrides.body);
  const list = document.getElementById("warnings");
  const card = new WordCard(document.getElementById("word"), {
    service,
    lexicon,
    body: () => overrides.body,
    hear: (word, said) => {
      const body = { ...overrides.body, input: word, lexicon: said === null ? undefined : lexicon.with(word, said) };
      clips.play("", () => service.file(body, "wav"), null).catch(fail);
    },
  });

  const isCorrected = (word) => lexicon.get(word) !== undefined;
  const openInText = (word, opener) => card.open(word, reading.boxOf(word.from, word.to), opener);

  function show() {
    reading.mark(explaining.marks(isCorrected));
    if (explaining.form === "markup") document.getElementById("markup").textContent = "Markdown or HTML";
    markLane();
    const all = explaining.all;
    list.replaceChildren(...all.slice(0, MOST_WARNINGS).map(warningOf));
    if (all.length > MOST_WARNINGS) list.append(item(`and ${all.length - MOST_WARNINGS} more`));
    list.hidden = all.length === 0;
  }

  function markLane() {
    const { recording } = speaking;
    if (recording !== null) lane.mark((word) => (explaining.ofSpoken(word, recording.text)?.warnings.length ?? 0) > 0);
  }

  function warningOf({ message, word }) {
    const said = message.charAt(0).toUpperCase() + message.slice(1);
    if (word === undefined || word.from === null) return item(`${said}.`);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = said;
    button.addEventListener("click", () => openInText(word, button));
    const element = item("");
    element.append(button);
    return element;
  }

  explaining.addEventListener("explained", show);
  speaking.addEventListener("state", markLane);
  speaking.addEventListener("arrived", () => setTimeout(markLane, 100));
  for (const kind of ["begun", "failure"]) speaking.addEventListener(kind, () => explaining.text !== text.value && explaining.ask(text.value));
  overrides.addEventListener("change", () => explaining.ask(text.value));
  text.addEventListener("input", () => {
    waiting = undefined;
    card.close();
    reading.mark([]);
    explaining.ask(text.value);
  });
  let waiting;
  const atCaret = (opener) => {
    waiting = undefined;
    if (text.selectionStart !== text.selectionEnd) return;
    if (explaining.text !== text.value) {
      waiting = opener; // the answer about this text is on its way
      explaining.ask(text.value);
      return;
    }
    const word = explaining.wordAt(text.selectionStart);
    if (word !== null) openInText(word, opener);
    else card.close();
  };
  explaining.addEventListener("explained", () => {
    if (waiting !== undefined) atCaret(waiting);
  });
  text.addEventListener("click", () => atCaret(null));
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.altKey) return;
    event.preventDefault();
    atCaret(text);
  });

  return {
    ask: () => explaining.ask(text.value),
    hush: () => explaining.hush(),
    openSpoken: (word, button) => {
      const known = explaining.ofSpoken(word, speaking.recording.text);
      speaking.seek(word.start);
      const spoken = [{ text: word.text, phonemes: (word.phonemes ?? []).map((one) => one.text).join(" "), source: "" }];
      card.open(known ?? { text: word.text, spoken, warnings: [] }, button.getBoundingClientRect(), button);
    },
    close: () => {
      const wasOpen = card.isOpen;
      card.close();
      return wasOpen;
    },
  };
}

function item(text) {
  const element = document.createElement("li");
  element.textContent = text;
  return element;
}
