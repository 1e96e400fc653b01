// A WAV file of 16-bit samples, written from the very numbers that the server sent.

const HEADER = 44;

/** @param {Int16Array[]} pieces @param {number} rate samples per second @returns {Blob} */
export function wavFile(pieces, rate) {
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0) * 2;
  const view = new DataView(new ArrayBuffer(HEADER + bytes));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, HEADER - 8 + bytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, bytes, true);
  const samples = new Int16Array(view.buffer, HEADER);
  let at = 0;
  for (const piece of pieces) {
    samples.set(piece, at);
    at += piece.length;
  }
  return new Blob([view.buffer], { type: "audio/wav" });
}
