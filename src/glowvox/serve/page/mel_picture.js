// The spectrogram as a picture that grows by columns. Tiles of it are kept as canvases, so a frame of animation is a
// few scaled copies, however long the speech; the levels are kept too, for when day turns to night.

import { colourMap } from "./colour_map.js";
import { normalNoise } from "./waveform.js";
import { BANDS } from "./mel.js";

const COLUMNS = 256;
/** Natural logarithms of filter outputs that are drawn as nothing and as brightest. */
const QUIET = -8.4;
const LOUD = 0.5;
/** What has not been heard yet is drawn this strong. */
const UNHEARD = 0.45;

export class MelPicture {
  constructor() {
    this.dark = false;
    this.table = colourMap(false);
    this.clear(1);
    const noise = normalNoise(COLUMNS * BANDS);
    this.noiseLevels = Uint8Array.from(noise, (value) => Math.min(255, Math.abs(value) * 21));
    this.noiseTile = tile(this.noiseLevels, this.table);
  }

  /** @param {number} frameRate frames per second of what follows */
  clear(frameRate) {
    this.frameRate = frameRate;
    this.tiles = [];
    this.levels = [];
    this.frames = 0;
  }

  /** @param {boolean} dark whether the colours are to lie on a dark ground */
  recolour(dark) {
    if (dark === this.dark) return;
    this.dark = dark;
    this.table = colourMap(dark);
    this.tiles = this.levels.map((levels) => tile(levels, this.table));
    this.noiseTile = tile(this.noiseLevels, this.table);
  }

  /** @param {Float32Array} frames [frames * BANDS], natural logarithms */
  add(frames) {
    const touched = new Set();
    for (let start = 0; start < frames.length; start += BANDS) {
      const column = this.frames % COLUMNS;
      const place = Math.floor(this.frames / COLUMNS);
      if (column === 0) this.levels.push(new Uint8Array(COLUMNS * BANDS));
      for (let band = 0; band < BANDS; band++) {
        const level = (frames[start + band] - QUIET) / (LOUD - QUIET);
        this.levels[place][column * BANDS + band] = 255 * Math.max(0, Math.min(1, level));
      }
      touched.add(place);
      this.frames += 1;
    }
    for (const place of touched) this.tiles[place] = tile(this.levels[place], this.table);
  }

  /** See `Waveform.draw`. */
  draw(canvas, { width, height, perSecond, from }, heard) {
    canvas.globalAlpha = 1;
    const ground = this.table;
    canvas.fillStyle = `rgb(${ground[0]}, ${ground[1]}, ${ground[2]})`;
    canvas.fillRect(0, 0, width, height);
    const perFrame = perSecond / this.frameRate;
    const start = from * perSecond;
    const spoken = Math.max(0, Math.min(width, this.frames * perFrame - start));
    const column = Math.max(2, width / COLUMNS / 2);
    this.part(canvas, spoken, width, height, 0.5, () => {
      for (let x = 0; x < width; x += COLUMNS * column) canvas.drawImage(this.noiseTile, x, 0, COLUMNS * column, height);
    });
    const whole = () => this.tiles.forEach((one, place) => {
      // From whole pixel to whole pixel: tiles that share one would show a seam.
      const [left, right] = [place, place + 1].map((border) => Math.round(border * COLUMNS * perFrame - start));
      if (right > 0 && left < width) canvas.drawImage(one, left, 0, right - left, height);
    });
    const played = Math.max(0, Math.min(spoken, heard * perSecond - start));
    this.part(canvas, played, spoken, height, UNHEARD, whole);
    this.part(canvas, 0, played, height, 1, whole);
  }

  part(canvas, from, to, height, strength, paint) {
    if (to <= from) return;
    canvas.save();
    canvas.beginPath();
    canvas.rect(from, 0, to - from, height);
    canvas.clip();
    canvas.globalAlpha = strength;
    paint();
    canvas.restore();
  }
}

/** Columns of levels as a canvas, low bands at the bottom. */
function tile(levels, table) {
  const canvas = document.createElement("canvas");
  canvas.width = COLUMNS;
  canvas.height = BANDS;
  const image = new ImageData(COLUMNS, BANDS);
  for (let column = 0; column < COLUMNS; column++) {
    for (let band = 0; band < BANDS; band++) {
      const colour = levels[column * BANDS + band] * 4;
      const pixel = ((BANDS - 1 - band) * COLUMNS + column) * 4;
      for (let part = 0; part < 4; part++) image.data[pixel + part] = table[colour + part];
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
