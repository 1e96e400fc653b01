// Colours for the spectrogram: lightness rises (in the dark) or falls (in the light) evenly with the level, in OKLab
// (Ottosson, 2020), so equal steps of level look equal; the hue goes from plum through the accent to pale.

const STEPS = 256;

/** Stops of [level, chroma, hue in degrees]. */
const NIGHT = { from: 0.175, to: 0.965, stops: [[0, 0.012, 290], [0.3, 0.115, 318], [0.58, 0.16, 390], [0.8, 0.125, 422], [1, 0.05, 448]] };
const DAY = { from: 0.985, to: 0.2, stops: [[0, 0.004, 75], [0.2, 0.06, 60], [0.5, 0.165, 42], [0.78, 0.13, -22], [1, 0.06, -60]] };

/** Returns 256 colours, Uint8ClampedArray [256 * 4] of red, green, blue and alpha. */
export function colourMap(dark) {
  const map = dark ? NIGHT : DAY;
  const table = new Uint8ClampedArray(STEPS * 4);
  for (let step = 0; step < STEPS; step++) {
    const level = step / (STEPS - 1);
    const [chroma, hue] = between(map.stops, level);
    const angle = (hue * Math.PI) / 180;
    table.set(toRgb(map.from + (map.to - map.from) * level, chroma * Math.cos(angle), chroma * Math.sin(angle)), step * 4);
  }
  return table;
}

function between(stops, level) {
  const next = Math.max(1, stops.findIndex(([at]) => at >= level));
  const [low, high] = [stops[next - 1], stops[next]];
  const share = (level - low[0]) / (high[0] - low[0]);
  return [1, 2].map((part) => low[part] + (high[part] - low[part]) * share);
}

function toRgb(lightness, a, b) {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return [...linear.map((value) => 255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055)), 255];
}
