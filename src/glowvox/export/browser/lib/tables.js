// Files of tables: unpacked, and their numbers read.

/** Returns the bytes of a file that is compressed with gzip, or was until the server unpacked it. */
export async function unpacked(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export const textOf = (bytes) => new TextDecoder().decode(bytes);

/** Returns parts that stand one behind the other, each after its length in four bytes. */
export function blocks(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [];
  for (let place = 0; place < bytes.length; ) {
    const size = view.getUint32(place, true);
    parts.push(bytes.subarray(place + 4, place + 4 + size));
    place += 4 + size;
  }
  return parts;
}

/** Returns numbers that were stored as differences with seven bits a byte. */
export function rising(bytes) {
  let count = 0;
  for (const byte of bytes) if (byte < 128) count++;
  const numbers = new Uint32Array(count);
  let [number, value, scale, place] = [0, 0, 1, 0];
  for (const byte of bytes) {
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) {
      number += value;
      numbers[place++] = number;
      [value, scale] = [0, 1];
    }
  }
  return numbers;
}

/** A table of small numbers by sorted keys. */
export class Sorted {
  constructor(keys, values) {
    this.keys = keys;
    this.values = new Int8Array(values.buffer, values.byteOffset, values.length);
    this.get = (key, usual) => {
      let low = 0;
      let high = this.keys.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (this.keys[middle] < key) low = middle + 1;
        else high = middle;
      }
      return this.keys[low] === key ? this.values[low] : usual;
    };
  }
}
