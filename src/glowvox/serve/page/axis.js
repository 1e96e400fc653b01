// The seconds under the pictures, and the whole speech as a small picture where only a part of it is in view.

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
const PIXELS_PER_TICK = 84;

/**
 * @param {CanvasRenderingContext2D} canvas in CSS pixels
 * @param {{width: number, height: number, perSecond: number, from: number}} view seconds at its left, pixels
 * @param {number} last second that there is @param {{soft: string, rule: string, font: string}} colours
 */
export function drawSeconds(canvas, { width, height, perSecond, from }, last, colours) {
  canvas.clearRect(0, 0, width, height);
  const step = STEPS.find((one) => one * perSecond >= PIXELS_PER_TICK) ?? STEPS.at(-1);
  canvas.font = `12px ${colours.font}`;
  canvas.textBaseline = "middle";
  for (let tick = Math.floor(from / step); tick * step <= last; tick++) {
    const left = (tick * step - from) * perSecond;
    if (left > width) break;
    canvas.fillStyle = colours.rule;
    canvas.fillRect(Math.round(left), 0, 1, height);
    const label = tickLabel(tick * step, step);
    if (left < 0 || left + 5 + canvas.measureText(label).width > width) continue;
    canvas.fillStyle = colours.soft;
    canvas.fillText(label, left + 5, height / 2);
  }
}

function tickLabel(seconds, step) {
  if (seconds < 60 && step < 60) return `${step < 1 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

/**
 * Draws all of the speech with its sentences, and a frame around what is in view.
 * @param {CanvasRenderingContext2D} canvas in device pixels @param {{width: number, height: number}} size
 * @param {import("./waveform.js").Waveform} waveform @param {{duration: number, heard: number, from: number, to: number}} seconds
 * @param {{from: number}[]} sentences @param {object} colours
 */
export function drawOverview(canvas, { width, height }, waveform, { duration, heard, from, to }, sentences, colours) {
  const perSecond = width / duration;
  waveform.draw(canvas, { width, height, perSecond, from: 0 }, heard, colours);
  canvas.fillStyle = colours.ground;
  for (const sentence of sentences.slice(1)) canvas.fillRect(Math.round(sentence.from * perSecond) - 1, 0, 2, height);
  canvas.strokeStyle = colours.ink;
  canvas.lineWidth = 2;
  canvas.strokeRect(from * perSecond + 1, 1, Math.max(4, (to - from) * perSecond - 2), height - 2);
}
