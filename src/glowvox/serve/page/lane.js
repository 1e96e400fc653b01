// Under the pictures: each word where it is spoken, and the seconds.

const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
const PIXELS_PER_TICK = 84;
const GAP = 9;
const WORD_LINE = 15;
const TICK_LINE = 43;

/** Measuring is the slowest part of it. */
const widths = new WeakMap();

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
  const boxes = spoken.words.map((word) => {
    if (!widths.has(word)) widths.set(word, canvas.measureText(word.text).width);
    const width = widths.get(word);
    const left = Math.max(0, Math.min(word.start * size.perSecond, size.width - width));
    return { text: word.text, left, right: left + width + GAP };
  });
  // Where there is no room for all words, the one that is being spoken has the right of way.
  const now = boxes[spoken.current];
  let free = 0;
  boxes.forEach((box, index) => {
    const isInTheWay = now !== undefined && box !== now && box.left < now.right && now.left < box.right;
    if (box !== now && (box.left < free || isInTheWay)) return;
    canvas.fillStyle = box === now ? colours.accent : index < spoken.current ? colours.ink : colours.soft;
    canvas.fillText(box.text, box.left, WORD_LINE);
    free = box.right;
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
