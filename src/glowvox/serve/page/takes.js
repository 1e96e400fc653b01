// The takes so far, side by side: each can be played, compared with the others, saved, and put away.

import { offerFiles } from "./downloads.js";
import { title } from "./overrides.js";
import { Waveform } from "./waveform.js";
import { asFloats } from "./recording.js";

/** Minutes of sound that are kept; the oldest take goes first. */
const MOST_SECONDS = 1800;
const NAMES = {
  speaker: (value) => title(value),
  speed: (value) => `${value}×`,
  pitch_shift: (value) => `pitch ${value > 0 ? "+" : ""}${value}`,
  pitch_range: (value) => `range ${Math.round(value * 100)} %`,
  sentence_pause: (value) => `pauses ${value} s`,
  paragraph_pause: (value) => `paragraphs ${value} s`,
  temperature: (value) => `temperature ${value}`,
  seed: (value) => `seed ${value}`,
  lexicon: () => "own lexicon",
};

export class Takes {
  /** @param {HTMLElement} root @param {object} speaking @param {object} stage whose colours are used @param {object} files */
  constructor(root, speaking, stage, files) {
    Object.assign(this, { root, speaking, stage, files });
    this.list = root.querySelector("ol");
    this.compareButton = root.querySelector("#compare");
    this.takes = [];
    this.count = 0;
    speaking.addEventListener("begun", () => this.add(speaking.recording));
    speaking.addEventListener("state", () => this.show());
    speaking.addEventListener("arrived", () => this.show());
    this.compareButton.addEventListener("click", () => this.compare());
    stage.night.addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.list);
  }

  add(recording) {
    this.count += 1;
    const take = { recording, number: this.count, ...this.card(recording, this.count) };
    this.takes.unshift(take);
    this.list.prepend(take.card);
    const seconds = () => this.takes.reduce((sum, one) => sum + one.recording.duration, 0);
    while (this.takes.length > 1 && seconds() > MOST_SECONDS) this.remove(this.takes.at(-1));
    this.show();
  }

  remove(take) {
    this.takes = this.takes.filter((one) => one !== take);
    take.card.remove();
    if (this.speaking.recording === take.recording) this.speaking.show(this.takes[0]?.recording ?? null);
    this.show();
  }

  card(recording, number) {
    const [card, head, name, about, text, canvas, row, play, away] = ["li", "div", "b", "span", "p", "canvas", "div", "button", "button"].map(
      (tag) => document.createElement(tag),
    );
    card.className = "take";
    head.className = "take-head";
    name.textContent = `Take ${number}`;
    about.textContent = aboutOf(recording.body);
    about.className = "note";
    text.textContent = recording.text.trim();
    text.className = "take-text";
    canvas.setAttribute("aria-hidden", "true");
    row.className = "take-row";
    play.type = away.type = "button";
    play.className = "hear";
    play.setAttribute("aria-label", `Play take ${number}`);
    away.className = "quiet small";
    away.textContent = "Put away";
    away.setAttribute("aria-label", `Put take ${number} away`);
    head.append(name, about);
    const files = document.createElement("details");
    const summary = document.createElement("summary");
    summary.className = "quiet small";
    summary.textContent = "Save";
    const menu = document.createElement("div");
    menu.className = "menu";
    files.append(summary, menu);
    const offer = offerFiles(menu, this.files, `take-${number}`);
    row.append(play, canvas);
    const foot = document.createElement("div");
    foot.className = "take-foot";
    foot.append(files, away);
    card.append(head, text, row, foot);
    play.addEventListener("click", () => this.toggle(recording));
    away.addEventListener("click", () => this.remove(this.takes.find((one) => one.recording === recording)));
    return { card, play, canvas, offer };
  }

  toggle(recording) {
    if (this.speaking.recording === recording && this.speaking.isBusy) this.speaking.toggle();
    else this.speaking.switchTo(recording);
  }

  /** Those of the text of the take that is shown, the oldest first. */
  get comparable() {
    const text = this.speaking.recording?.text;
    return this.takes.filter((one) => one.recording.text === text && one.recording.complete).reverse();
  }

  /** Plays the takes of a text in turns, sentence by sentence. */
  compare() {
    const takes = this.comparable.map((one) => one.recording);
    const sentences = takes.map((one) => one.sentences);
    const count = Math.max(...sentences.map((one) => one.length));
    const parts = Array.from({ length: count }, (_, place) =>
      takes.flatMap((recording, index) => {
        const sentence = sentences[index][place];
        return sentence === undefined ? [] : [{ recording, from: sentence.from, until: sentence.to }];
      }),
    );
    this.speaking.playAll(parts.flat());
  }

  show() {
    const { recording, state } = this.speaking;
    this.root.hidden = this.takes.length === 0;
    this.compareButton.hidden = this.comparable.length < 2;
    for (const take of this.takes) {
      const isShown = take.recording === recording;
      if (isShown) take.card.setAttribute("aria-current", "true");
      else take.card.removeAttribute("aria-current");
      const isPlaying = isShown && state === "playing";
      take.play.toggleAttribute("data-playing", isPlaying);
      take.play.setAttribute("aria-label", `${isPlaying ? "Pause" : "Play"} take ${take.number}`);
      take.offer(take.recording.complete ? take.recording : null);
    }
    this.draw();
  }

  draw() {
    const scale = Math.max(1, window.devicePixelRatio);
    for (const { recording, canvas } of this.takes) {
      const [width, height] = [canvas.clientWidth * scale, canvas.clientHeight * scale].map(Math.round);
      if (!recording.complete || width === 0 || (canvas.width === width && canvas.dataset.night === String(this.stage.night.matches))) continue;
      Object.assign(canvas, { width, height });
      canvas.dataset.night = String(this.stage.night.matches);
      const waveform = new Waveform();
      waveform.clear(recording.rate);
      for (const piece of recording.pieces) waveform.add(asFloats(piece));
      const view = { width, height, perSecond: width / recording.duration, from: 0 };
      waveform.draw(canvas.getContext("2d"), view, Infinity, { ...this.stage.colours, accent: this.stage.colours.soft });
    }
  }
}

function aboutOf(body) {
  const told = Object.entries(NAMES).filter(([name]) => body[name] !== undefined);
  return [title(body.voice), ...told.map(([name, write]) => write(body[name]))].join(" · ");
}
