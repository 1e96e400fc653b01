// Downloads: the files of a recording, and the commands that make it elsewhere.

import { curl, javascript, python } from "./snippets.js";
import { srtFile, timesFile, vttFile } from "./timestamps.js";
import { wavFile } from "./wav.js";

const COPIED_MS = 1600;
const SNIPPETS = { "tab-curl": curl, "tab-python": python, "tab-javascript": javascript };
const text = (content, type) => new Blob([content], { type });
/** What is made here of what has been heard. */
const OWN = {
  wav: (one) => wavFile(one.pieces, one.rate),
  srt: (one) => text(srtFile(one.words), "application/x-subrip"),
  vtt: (one) => text(vttFile(one.words), "text/vtt"),
  json: (one) => text(timesFile(one.words, one.duration), "application/json"),
};
/** What the server writes, speaking it again: the same seed, the same speech. */
const SERVERS = ["mp3", "opus", "flac"];
const FILES = ["wav", ...SERVERS, "srt", "vtt", "json"];
const LABELS = { opus: "Opus", json: "JSON times" };
const ENDINGS = { opus: "ogg" };

/**
 * Puts a button for each file of a recording into an element; returns what offers those of a recording (null: none).
 * @param {HTMLElement} root @param {{service: object, fail: (failure: Error) => void}} parts
 * @param {string} stem of the files' names
 */
export function offerFiles(root, { service, fail }, stem) {
  let recording = null;
  const buttons = FILES.map((name) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "quiet small", disabled: true, textContent: LABELS[name] ?? name.toUpperCase() });
    button.dataset.file = name;
    button.addEventListener("click", async () => {
      button.setAttribute("aria-busy", "true");
      try {
        const blob = name in OWN ? OWN[name](recording) : await service.file(recording.body, name);
        save(blob, `${stem}.${ENDINGS[name] ?? name}`);
      } catch (failure) {
        fail(failure);
      }
      button.removeAttribute("aria-busy");
    });
    return button;
  });
  root.append(...buttons);
  return (offered) => {
    recording = offered;
    for (const button of buttons) {
      const isSound = button.dataset.file === "wav" ? offered?.samples > 0 : offered?.isWhole && offered.samples > 0;
      const isThere = ["srt", "vtt", "json"].includes(button.dataset.file) ? offered?.words.length > 0 : isSound;
      button.disabled = !isThere;
    }
  };
}

/** The request as code, in tabs. */
export class Snippets {
  /** @param {HTMLElement} root @param {() => object} call what the commands are to do @param {(text: string) => void} say */
  constructor(root, call, say) {
    this.call = call;
    this.say = say;
    this.code = root.querySelector("#snippet-code");
    this.panel = root.querySelector("#snippet");
    this.tabs = [...root.querySelectorAll('[role="tab"]')];
    this.copyButton = root.querySelector("#copy");
    this.copyButton.addEventListener("click", () => copyFrom(this.code, this.copyButton, say));
    for (const tab of this.tabs) {
      tab.addEventListener("click", () => this.choose(tab));
      tab.addEventListener("keydown", (event) => this.walk(event, tab));
    }
  }

  choose(tab) {
    for (const one of this.tabs) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", tab.id);
    this.panel.scrollTop = 0;
    this.write();
  }

  walk(event, tab) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = this.tabs[(this.tabs.indexOf(tab) + step + this.tabs.length) % this.tabs.length];
    this.choose(next);
    next.focus();
  }

  /** Writes the commands anew after a choice has changed. */
  write() {
    const chosen = this.tabs.find((one) => one.getAttribute("aria-selected") === "true");
    this.code.textContent = SNIPPETS[chosen.id](this.call());
  }
}

/** Copies an element's text, and lets the button say so for a moment. */
export async function copyFrom(element, button, say) {
  const done = await toClipboard(element);
  const label = button.textContent;
  if (label === "Copied" || label === "Selected") return;
  button.textContent = done ? "Copied" : "Selected";
  say(done ? "Copied." : "Selected; copy it with the keyboard.");
  setTimeout(() => (button.textContent = label), COPIED_MS);
}

/** Browsers have no clipboard on plain http; there the old command, and if that fails, the selection remains. */
async function toClipboard(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has begun by then; the memory is given back.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
