// Under the pictures: each word where it is spoken, and the seconds.

const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
const PIXELS_PER_TICK = 84;
const WORD_LINE = 15;
const TICK_LINE = 43;

/**
 * @param {CanvasRenderingContext2D} canvas in CSS pixels
 * @param {{width: number, height: number, perSecond: number}} size
 * @param {{words: {text: string, start: number, end: number}[], current: number, isTimed: boolean}} spoken
 * @param {{ink: string, soft: string, faint: string, accent: string, rule: string, font: string}} colours
 */
export function drawLane(canvas, size, spoken, colours) {
  canvas.clearRect(0, 0, size.width, size.height);
  canvas.textBaseline = "alphabetic";
  canvas.font = `13.500px ${colours.font}`;
  let free = 0;
  spoken.words.forEach((word, index) => {
    const left = word.start * size.perSecond;
    const isCurrent = index === spoken.current;
    const width = canvas.measureText(word.text).width;
    const room = Math.min(left, size.width - width);
    if (room < free && !isCurrent) return;
    if (isCurrent && room < free) canvas.clearRect(room - 5, 0, size.width - room + 5, WORD_LINE + 6);
    canvas.fillStyle = isCurrent ? colours.accent : index < spoken.current ? colours.ink : colours.soft;
    canvas.fillText(word.text, Math.max(0, room), WORD_LINE);
    free = Math.max(0, room) + width + 9;
  });
  if (spoken.isTimed) drawSeconds(canvas, size, colours);
}

function drawSeconds(canvas, { width, perSecond }, colours) {
  const step = STEPS.find((one) => one * perSecond >= PIXELS_PER_TICK) ?? STEPS.at(-1);
  canvas.font = `12px ${colours.font}`;
  for (let tick = 0; tick * step * perSecond < width; tick++) {
    const left = tick * step * perSecond;
    canvas.fillStyle = colours.rule;
    canvas.fillRect(Math.round(left), TICK_LINE - 13, 1, 16);
    const label = tickLabel(tick * step, step);
    if (left + 5 + canvas.measureText(label).width > width) break;
    canvas.fillStyle = colours.soft;
    canvas.fillText(label, left + 5, TICK_LINE);
  }
}

function tickLabel(seconds, step) {
  if (seconds < 60 && step < 60) return `${step < 1 ? seconds.toFixed(1) : seconds} s`;
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}
