// Everything that is seen of the speech: pictures, words, playhead and clock, redrawn only while something changes.
//
// The track is as wide as the whole speech and scrolls; the canvases stay in view and draw the part that is in sight.

import { drawOverview, drawSeconds } from "./axis.js";
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
/** Pixels of a second at which words can be read; a shorter speech is as wide as the frame. */
const READABLE = 88;
const WIDEST = 900;
const ZOOM = 1.5;
/** Whoever has scrolled is left alone for a while. */
const LEFT_ALONE_MS = 4000;
const TURN_MS = 700;

export class Stage {
  /** @param {HTMLElement} root @param {() => number} position tells the second that is heard @param {object} lane */
  constructor(root, position, lane) {
    this.root = root;
    this.position = position;
    this.lane = lane;
    const element = (id) => root.querySelector(`#${id}`);
    [this.scroller, this.track, this.picture, this.playhead] = ["scroller", "track", "picture", "playhead"].map(element);
    this.views = Object.fromEntries(
      ["waveform", "mel", "axis", "overview"].map((id) => [id, { element: element(id), canvas: element(id).getContext("2d") }]),
    );
    this.waveform = new Waveform();
    this.mel = new MelPicture();
    this.worker = new Worker(new URL("./mel_worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.take = 0;
    this.recording = null;
    this.estimate = IDLE_SECONDS;
    /** Pixels of a second: as wished (null: by the length), and as shown now. */
    this.wished = null;
    this.perSecond = null;
    this.alone = 0;
    this.turning = 0;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.night = matchMedia("(prefers-color-scheme: dark)");
    for (const query of [this.night, matchMedia("(forced-colors: active)")]) query.addEventListener("change", () => this.dress());
    const observer = new ResizeObserver(() => this.resize());
    for (const one of [this.scroller, this.picture]) observer.observe(one);
    this.scroller.addEventListener("scroll", () => this.wake(), { passive: true });
    for (const kind of ["wheel", "pointerdown", "touchmove"]) {
      this.scroller.addEventListener(kind, () => (this.alone = performance.now() + LEFT_ALONE_MS), { passive: true });
    }
    this.dress();
    this.resize();
  }

  /** Begins an empty picture for a recording. */
  begin(recording) {
    this.take += 1;
    this.recording = recording;
    this.estimate = Math.max(1.5, recording.text.length / CHARACTERS_PER_SECOND / (recording.body.speed ?? 1));
    this.perSecond = null;
    this.wished = null;
    this.alone = 0;
    this.scroller.scrollLeft = 0;
    this.waveform.clear(recording.rate);
    this.mel.clear(recording.rate / hopLength(recording.rate));
    this.lane.clear();
    this.worker.postMessage({ kind: "start", take: this.take, rate: recording.rate });
    this.wake();
  }

  /** Shows a recording that is complete; null: the noise of the beginning. */
  show(recording) {
    this.take += 1;
    this.waveform.clear(1);
    this.mel.clear(1);
    this.lane.clear();
    this.recording = recording;
    this.wake();
    if (recording === null) return;
    this.begin(recording);
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
    this.mel.add(frames);
    this.wake();
  }

  /** Seconds at a place of the window, in pixels from its left. */
  secondsAt(x) {
    return (x - this.track.getBoundingClientRect().left) / this.perSecond;
  }

  /** Seconds that the axis has. */
  get seconds() {
    if (this.recording === null) return IDLE_SECONDS;
    const { complete, duration } = this.recording;
    return complete && duration > 0 ? duration : Math.max(this.estimate, duration * 1.06);
  }

  /** Pixels of a second at which all of it is in view. */
  get whole() {
    return this.scroller.clientWidth / this.seconds;
  }

  get goal() {
    if (this.recording === null) return this.whole;
    return Math.max(this.whole, this.wished ?? READABLE);
  }

  /** Shows `steps` times nearer, from further away where negative; 0: all of it; null: as at the beginning. */
  zoom(steps) {
    const middle = this.scroller.scrollLeft + this.scroller.clientWidth / 2;
    const seconds = middle / this.perSecond;
    if (steps === null) this.wished = null;
    else if (steps === 0) this.wished = this.whole;
    else this.wished = Math.max(this.whole, Math.min(WIDEST, this.goal * ZOOM ** steps));
    this.perSecond = this.goal;
    this.layOut();
    this.scroller.scrollLeft = seconds * this.perSecond - this.scroller.clientWidth / 2;
    this.wake();
  }

  /** Brings a second into view. */
  reveal(seconds, share = 0.3) {
    const { scrollLeft, clientWidth } = this.scroller;
    const left = seconds * this.perSecond;
    if (left >= scrollLeft && left <= scrollLeft + clientWidth * 0.92) return;
    // One turn at a time: begun anew in every frame, it would never get going.
    if (performance.now() < this.turning) return;
    this.turning = performance.now() + TURN_MS;
    this.scroller.scrollTo({ left: left - clientWidth * share, behavior: this.calm.matches ? "auto" : "smooth" });
  }

  /** Reads the colours of the day, the night, or whoever has chosen their own. */
  dress() {
    const style = getComputedStyle(document.documentElement);
    const names = ["ink", "soft", "faint", "accent", "rule", "ground"];
    this.colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.colours.font = style.getPropertyValue("--plain");
    this.mel.recolour(this.night.matches);
    this.wake();
  }

  resize() {
    const scale = Math.max(1, window.devicePixelRatio);
    this.picture.style.width = `${this.scroller.clientWidth}px`;
    for (const view of Object.values(this.views)) {
      view.element.width = Math.round(view.element.clientWidth * scale);
      view.element.height = Math.round(view.element.clientHeight * scale);
      view.scale = scale;
    }
    this.wake();
  }

  wake() {
    this.frame ??= requestAnimationFrame((now) => this.animate(now));
  }

  animate(now) {
    this.frame = null;
    const { state } = this.root.dataset;
    const isWaiting = state === "waiting";
    if (isWaiting && !this.calm.matches) this.waveform.shift = Math.floor(now / SHIMMER_MS) * 37;
    const { goal } = this;
    const away = goal - (this.perSecond ?? goal);
    const isThere = Math.abs(away) < 0.004 * goal || this.calm.matches;
    this.perSecond = isThere ? goal : this.perSecond + away * EASE;
    this.draw(state === "playing" && now > this.alone);
    if (!isThere || isWaiting || state === "playing") this.wake();
  }

  /** Widens the track, and puts the words in it. */
  layOut() {
    this.track.style.width = `${Math.ceil(this.perSecond * this.seconds)}px`;
    this.lane.layOut(this.perSecond, this.perSecond * this.seconds);
  }

  draw(isFollowing) {
    const heard = this.position();
    const { waveform, mel, axis, overview } = this.views;
    this.lane.show(this.recording?.words ?? []);
    this.layOut();
    const { scrollLeft, clientWidth } = this.scroller;
    if (isFollowing) this.reveal(heard);
    const from = scrollLeft / this.perSecond;
    // The pictures are drawn in device pixels, for their columns; the seconds in CSS pixels, for their letters.
    const finely = (view) => ({ width: view.element.width, height: view.element.height, perSecond: this.perSecond * view.scale, from });
    this.waveform.draw(waveform.canvas, finely(waveform), heard, this.colours);
    this.mel.draw(mel.canvas, finely(mel), heard);
    const isTimed = (this.recording?.samples ?? 0) > 0;
    axis.canvas.setTransform(axis.scale, 0, 0, axis.scale, 0, 0);
    const size = { width: clientWidth, height: axis.element.clientHeight, perSecond: this.perSecond, from };
    drawSeconds(axis.canvas, size, isTimed ? this.seconds : -1, this.colours);
    const isPart = isTimed && this.track.clientWidth > clientWidth * 1.02;
    this.root.toggleAttribute("data-part", isPart);
    if (isPart && overview.element.clientWidth > 0) {
      if (overview.element.width < 2) this.resize();
      const seconds = { duration: this.seconds, heard, from, to: from + clientWidth / this.perSecond };
      drawOverview(overview.canvas, overview.element, this.waveform, seconds, this.recording.sentences, this.colours);
    }
    const { state } = this.root.dataset;
    const current = this.recording?.wordAt(heard) ?? -1;
    this.lane.light(state === "playing" || state === "paused" ? current : null);
    this.playhead.toggleAttribute("data-shown", heard > 0 && this.recording !== null);
    this.playhead.style.transform = `translateX(${heard * this.perSecond}px)`;
    this.root.dispatchEvent(new CustomEvent("drawn", { detail: { heard, current } }));
  }
}
