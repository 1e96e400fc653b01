// One speech after the other: asked for, arriving, heard, paused, stopped. The only place that knows the state.

import { Recording } from "./recording.js";

/** Samples per second that are asked for while no voice is known. */
const USUAL_RATE = 24000;
/** Nearer to the end than this, playing again means from the beginning. */
const END_SECONDS = 0.05;

/**
 * `state`: "idle" before the first speech, "waiting" for its first sound, "playing", "paused", "done".
 * Events: "state"; "begun" when a recording has its first sound; "arrived" when all its samples are there; "failure"
 * with a `Failure` as its detail.
 */
export class Speaking extends EventTarget {
  constructor({ service, player, stage, reading }) {
    super();
    Object.assign(this, { service, player, stage, reading });
    this.state = "idle";
    this.recording = null;
    this.abort = null;
    this.before = null;
    /** What is to be played after the part that is being played: [{recording, from, until}]. */
    this.queue = [];
    player.addEventListener("ended", () => this.ended());
  }

  enter(state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  /** Whether there is something that can be stopped. */
  get isBusy() {
    return this.state === "waiting" || this.state === "playing" || this.state === "paused";
  }

  /**
   * Speaks; must be called by a key or a click.
   * @param {object} body of the request @param {string} text as it stands in the field @param {number | undefined} rate
   */
  async speak(body, text, rate = USUAL_RATE) {
    this.stop();
    this.before = this.recording;
    const recording = new Recording(text, rate, body);
    const abort = new AbortController();
    Object.assign(this, { recording, abort });
    this.stage.begin(recording);
    this.reading.open(text);
    this.enter("waiting");
    const began = performance.now();
    try {
      this.player.prepare(rate);
      for await (const event of this.service.speak({ ...body, sample_rate: rate }, abort.signal)) {
        if (abort.signal.aborted) return;
        if (event.words !== undefined) this.takeWords(event);
        else this.takeSamples(event.bytes, began);
      }
      recording.took = (performance.now() - began) / 1000;
      recording.isWhole = true;
      this.close(recording);
      if (recording.samples === 0) this.ended();
      this.dispatchEvent(new Event("arrived"));
    } catch (error) {
      if (abort.signal.aborted) return;
      this.close(recording);
      if (recording.samples === 0) this.goBack();
      this.dispatchEvent(new CustomEvent("failure", { detail: error }));
    }
  }

  takeWords({ words, rate }) {
    if (this.recording.samples === 0 && rate !== undefined && rate !== this.recording.rate) {
      this.recording.rate = rate;
      this.stage.begin(this.recording);
    }
    this.reading.add(this.recording.addWords(words));
  }

  takeSamples(bytes, began) {
    const piece = this.recording.add(bytes);
    if (piece.length === 0) return;
    this.stage.add(piece);
    if (this.state !== "waiting") {
      this.player.feed();
      return;
    }
    this.recording.firstSound = (performance.now() - began) / 1000;
    this.player.start(this.recording);
    this.enter("playing");
    this.dispatchEvent(new Event("begun"));
  }

  /** Nothing came: shows again what was there before, which may not have been saved yet. */
  goBack() {
    this.recording = this.before;
    this.reading.close(this.reading.text);
    this.player.clear();
    this.stage.show(this.recording);
    this.enter(this.recording === null ? "idle" : "done");
  }

  /** No more samples will come. */
  close(recording) {
    recording.complete = true;
    this.stage.finish();
    this.player.feed();
  }

  ended() {
    const next = this.queue.shift();
    if (next !== undefined) {
      this.play(next.recording, next.from, next.until);
      return;
    }
    this.reading.close(this.reading.text);
    this.enter("done");
  }

  /** Ends synthesis and sound; what has been spoken stays. */
  stop() {
    this.queue = [];
    if (!this.isBusy) return;
    this.abort?.abort();
    this.player.stop();
    if (!this.recording.complete) this.close(this.recording);
    if (this.recording.samples === 0) this.goBack();
    else this.ended();
  }

  /** Shows a recording that was spoken before; null: none. */
  show(recording) {
    this.stop();
    if (recording === this.recording) return;
    this.recording = recording;
    this.player.clear();
    this.stage.show(recording);
    this.enter(recording === null ? "idle" : "done");
  }

  /** Pauses, goes on, or plays again. */
  toggle() {
    if (this.state === "playing") {
      this.player.pause();
      this.enter("paused");
    } else if (this.state === "paused") {
      this.player.resume();
      this.enter("playing");
    } else if (this.state === "done" && this.recording.samples > 0) {
      const { position } = this.player;
      this.seek(position > this.recording.duration - END_SECONDS ? 0 : position);
    }
  }

  /** Plays from `seconds` on, as far as there is anything yet. */
  seek(seconds) {
    if (this.recording === null || this.recording.samples === 0) return;
    this.queue = [];
    this.play(this.recording, Math.max(0, Math.min(seconds, this.recording.duration)));
  }

  /** Plays parts of recordings one after the other. @param {{recording: Recording, from: number, until: number}[]} parts */
  playAll(parts) {
    this.stop();
    this.queue = parts;
    this.ended();
  }

  /** Plays a part of a recording, and shows that recording. */
  play(recording, from = 0, until = Infinity) {
    if (recording !== this.recording) {
      this.recording = recording;
      this.stage.show(recording);
      this.reading.close(this.reading.text);
    }
    if (!this.reading.isOpen && this.reading.text === recording.text) {
      this.reading.open(recording.text);
      this.reading.add(recording.words);
    }
    this.player.start(recording, from, until);
    if (this.player.state === "playing") this.enter("playing");
  }

  /** Plays another recording from the word that is heard, or from its beginning where nothing is. */
  switchTo(recording) {
    const word = this.isBusy ? (this.recording?.wordAt(this.player.position) ?? -1) : -1;
    const isSame = this.recording?.text === recording.text;
    if (this.state === "waiting" || !this.recording?.complete) this.stop();
    this.queue = [];
    this.play(recording, isSame && word > 0 ? (recording.words[word]?.start ?? 0) : 0);
  }
}
