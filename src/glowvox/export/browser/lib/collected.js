// A whole text of a voice that speaks sentence by sentence.

/** Returns the samples of all sentences, where each begins, and every warning. */
export async function collected(voice, text, options) {
  const [sentences, warnings, pieces] = [[], [], []];
  let length = 0;
  for await (const { samples, sampleRate, warnings: own, ...sentence } of voice.stream(text, options)) {
    sentences.push({ ...sentence, start: length / sampleRate, seconds: samples.length / sampleRate });
    warnings.push(...own);
    pieces.push(samples);
    length += samples.length;
  }
  const all = new Float32Array(length);
  let place = 0;
  for (const samples of pieces) {
    all.set(samples, place);
    place += samples.length;
  }
  return { samples: all, sampleRate: voice.sampleRate, sentences, warnings };
}
