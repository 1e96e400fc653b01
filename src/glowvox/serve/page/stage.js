// Everything that is seen of the speech: pictures, playhead and clock, redrawn only while something changes.

import { drawLane } from "./lane.js";
import { MelPicture } from "./mel_picture.js";
import { hopLength } from "./mel.js";
import { asFloats } from "./recording.js";
import { Waveform } from "./waveform.js";

/** How fast people are read to, for the width of the axis before the length is known. */
const CHARACTERS_PER_SECOND = 14;
const IDLE_SECONDS = 6;
/** Share of the way to its goal that the axis goes in a frame of animation. */
const EASE = 0.16;
const SHIMMER_MS = 90;

export class Stage {
  /** @param {HTMLElement} root @param {() => number} position tells the second that is heard */
  constructor(root, position) {
    this.root = root;
    this.position = position;
    this.views = ["waveform", "mel", "lane"].map((id) => {
      const element = root.querySelector(`#${id}`);
      return { element, canvas: element.getContext("2d") };
    });
    this.playhead = root.querySelector("#playhead");
    this.waveform = new Waveform();
    this.picture = new MelPicture();
    this.worker = new Worker(new URL("./mel_worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.take = 0;
    this.recording = null;
    this.estimate = IDLE_SECONDS;
    this.shown = IDLE_SECONDS;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.night = matchMedia("(prefers-color-scheme: dark)");
    this.night.addEventListener("change", () => this.dress());
    new ResizeObserver(() => this.resize()).observe(root.querySelector("#picture"));
    this.dress();
    this.resize();
  }

  /** Begins an empty picture for a recording. */
  begin(recording, speed) {
    this.take += 1;
    this.recording = recording;
    this.estimate = Math.max(1.5, recording.text.length / CHARACTERS_PER_SECOND / speed);
    this.shown = this.estimate;
    this.waveform.clear(recording.rate);
    this.picture.clear(recording.rate / hopLength(recording.rate));
    this.worker.postMessage({ kind: "start", take: this.take, rate: recording.rate });
    this.wake();
  }

  /** Shows a recording that is complete; null: the noise of the beginning. */
  show(recording) {
    this.take += 1;
    this.waveform.clear(1);
    this.picture.clear(1);
    this.recording = recording;
    this.wake();
    if (recording === null) return;
    this.begin(recording, 1);
    for (const piece of recording.pieces) this.add(piece);
    this.finish();
  }

  /** @param {Int16Array} piece new samples of the recording */
  add(piece) {
    const samples = asFloats(piece);
    this.waveform.add(samples);
    this.worker.postMessage({ kind: "samples", take: this.take, samples }, [samples.buffer]);
    this.wake();
  }

  finish() {
    this.worker.postMessage({ kind: "finish", take: this.take });
    this.wake();
  }

  receive({ take, frames }) {
    if (take !== this.take) return;
    this.picture.add(frames);
    this.wake();
  }

  /** Seconds at a place of the picture, 0 at its left and 1 at its right. */
  secondsAt(share) {
    return share * this.shown;
  }

  get goal() {
    if (this.recording === null) return IDLE_SECONDS;
    const { complete, duration } = this.recording;
    return complete && duration > 0 ? duration : Math.max(this.estimate, duration * 1.06);
  }

  /** Reads the colours of the day or the night. */
  dress() {
    const style = getComputedStyle(document.documentElement);
    const names = ["ink", "soft", "faint", "accent", "rule"];
    this.colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.colours.font = style.getPropertyValue("--plain");
    this.picture.recolour(this.night.matches);
    this.wake();
  }

  resize() {
    for (const view of this.views) {
      const { clientWidth, clientHeight } = view.element;
      const scale = Math.max(1, window.devicePixelRatio);
      view.element.width = Math.round(clientWidth * scale);
      view.element.height = Math.round(clientHeight * scale);
      view.scale = scale;
    }
    this.wake();
  }

  wake() {
    this.frame ??= requestAnimationFrame((now) => this.animate(now));
  }

  animate(now) {
    this.frame = null;
    const isWaiting = this.root.dataset.state === "waiting";
    if (isWaiting && !this.calm.matches) this.waveform.shift = Math.floor(now / SHIMMER_MS) * 37;
    const away = this.goal - this.shown;
    const isThere = Math.abs(away) < 0.004 * this.goal || this.calm.matches;
    this.shown = isThere ? this.goal : this.shown + away * EASE;
    this.draw();
    if (!isThere || isWaiting || this.root.dataset.state === "playing") this.wake();
  }

  draw() {
    const heard = this.position();
    const [waveform, mel, lane] = this.views;
    const width = waveform.element.clientWidth;
    // The two pictures are drawn in device pixels, for their columns; the lane in CSS pixels, for its letters.
    const finely = (view) => ({ width: view.element.width, height: view.element.height, perSecond: view.element.width / this.shown });
    this.waveform.draw(waveform.canvas, finely(waveform), heard, this.colours);
    this.picture.draw(mel.canvas, finely(mel), heard);
    lane.canvas.setTransform(lane.scale, 0, 0, lane.scale, 0, 0);
    const words = this.recording?.words ?? [];
    const isHeard = this.root.dataset.state === "playing" || this.root.dataset.state === "paused";
    const current = this.recording?.wordAt(heard) ?? -1;
    const laneSize = { width, height: lane.element.clientHeight, perSecond: width / this.shown };
    const isTimed = (this.recording?.samples ?? 0) > 0;
    drawLane(lane.canvas, laneSize, { words, current: isHeard ? current : words.length, isTimed }, this.colours);
    this.playhead.toggleAttribute("data-shown", heard > 0 && this.recording !== null);
    this.playhead.style.transform = `translateX(${(heard / this.shown) * width}px)`;
    this.root.dispatchEvent(new CustomEvent("drawn", { detail: { heard, current } }));
  }
}
