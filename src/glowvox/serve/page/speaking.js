// One speech after the other: asked for, arriving, heard, paused, stopped. The only place that knows the state.

import { Recording } from "./recording.js";

/** Samples per second that are asked for while no voice is known. */
const USUAL_RATE = 24000;
/** Nearer to the end than this, playing again means from the beginning. */
const END_SECONDS = 0.05;

/**
 * `state`: "idle" before the first speech, "waiting" for its first sound, "playing", "paused", "done".
 * Events: "state"; "arrived" when all samples are there; "failure" with a `Failure` as its detail.
 */
export class Speaking extends EventTarget {
  constructor({ service, player, stage, reading }) {
    super();
    Object.assign(this, { service, player, stage, reading });
    this.state = "idle";
    this.recording = null;
    this.abort = null;
    this.firstSound = null;
    this.seconds = null;
    this.before = null;
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
    this.before = { recording: this.recording, firstSound: this.firstSound, seconds: this.seconds };
    const recording = new Recording(text, rate);
    const abort = new AbortController();
    Object.assign(this, { recording, abort, firstSound: null, seconds: null });
    this.stage.begin(recording, body.speed ?? 1);
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
      this.seconds = (performance.now() - began) / 1000;
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
      this.stage.begin(this.recording, 1);
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
    this.firstSound = (performance.now() - began) / 1000;
    this.player.start(this.recording);
    this.enter("playing");
  }

  /** Nothing came: shows again what was there before, which may not have been saved yet. */
  goBack() {
    Object.assign(this, this.before);
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
    this.reading.close(this.reading.text);
    this.enter("done");
  }

  /** Ends synthesis and sound; what has been spoken stays. */
  stop() {
    if (!this.isBusy) return;
    this.abort.abort();
    this.player.stop();
    if (!this.recording.complete) this.close(this.recording);
    if (this.recording.samples === 0) this.goBack();
    else this.ended();
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
    if (this.state === "done" && this.reading.text === this.recording.text) {
      this.reading.open(this.recording.text);
      this.reading.add(this.recording.words);
    }
    this.player.start(this.recording, Math.max(0, Math.min(seconds, this.recording.duration)));
    if (this.player.state === "playing") this.enter("playing");
  }
}
