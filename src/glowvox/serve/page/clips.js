// Short sounds beside the speech: a sample of a voice, one word. One at a time.

export class Clips {
  constructor() {
    this.audio = new Audio();
    this.button = null;
    this.kept = new Map();
    for (const kind of ["ended", "pause", "error"]) this.audio.addEventListener(kind, () => this.mark(null));
  }

  /**
   * Plays what `load` gives, or stops it where it plays already. Must be called by a key or a click.
   * @param {string} name by which the sound is kept; "": not at all @param {() => Promise<Blob>} load
   * @param {HTMLElement | null} button that shows it
   */
  async play(name, load, button) {
    const wasThis = button !== null && this.button === button;
    this.stop();
    if (wasThis) return;
    this.mark(button);
    const turn = (this.turn = {});
    try {
      const blob = this.kept.get(name) ?? (await load());
      if (name !== "") this.kept.set(name, blob);
      if (this.turn !== turn) return;
      URL.revokeObjectURL(this.audio.src);
      this.audio.src = URL.createObjectURL(blob);
      await this.audio.play();
    } catch (error) {
      if (this.turn !== turn) return;
      this.mark(null);
      throw error;
    }
  }

  stop() {
    this.turn = null;
    this.audio.pause();
    this.mark(null);
  }

  mark(button) {
    this.button?.removeAttribute("data-playing");
    this.button = button;
    button?.setAttribute("data-playing", "");
  }
}
