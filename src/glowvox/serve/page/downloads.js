// Downloads: the files of a recording, and the commands that make it elsewhere.

import { curl, python } from "./snippets.js";
import { srtFile } from "./srt.js";
import { wavFile } from "./wav.js";

const COPIED_MS = 1600;

export class Downloads {
  /** @param {HTMLElement} root @param {() => object} call what the commands are to do @param {(text: string) => void} say */
  constructor(root, call, say) {
    this.call = call;
    this.say = say;
    this.recording = null;
    this.code = root.querySelector("#snippet-code");
    this.panel = root.querySelector("#snippet");
    this.tabs = [...root.querySelectorAll('[role="tab"]')];
    this.files = { wav: root.querySelector("#wav"), srt: root.querySelector("#srt") };
    this.copyButton = root.querySelector("#copy");
    this.files.wav.addEventListener("click", () => save(wavFile(this.recording.pieces, this.recording.rate), "speech.wav"));
    this.files.srt.addEventListener("click", () => save(new Blob([srtFile(this.recording.words)], { type: "application/x-subrip" }), "speech.srt"));
    this.copyButton.addEventListener("click", () => this.copy());
    for (const tab of this.tabs) {
      tab.addEventListener("click", () => this.choose(tab));
      tab.addEventListener("keydown", (event) => this.walk(event, tab));
    }
  }

  /** Offers the files of a recording, or none of null. */
  offer(recording) {
    this.recording = recording;
    this.files.wav.disabled = recording === null || recording.samples === 0;
    this.files.srt.disabled = recording === null || recording.words.length === 0;
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
    const isPython = this.tabs.find((one) => one.id === "tab-python").getAttribute("aria-selected") === "true";
    this.code.textContent = (isPython ? python : curl)(this.call());
  }

  async copy() {
    const done = await toClipboard(this.code);
    this.copyButton.textContent = done ? "Copied" : "Selected";
    this.say(done ? "Copied." : "Selected; copy it with the keyboard.");
    setTimeout(() => (this.copyButton.textContent = "Copy"), COPIED_MS);
  }
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

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has begun by then; the memory is given back.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
