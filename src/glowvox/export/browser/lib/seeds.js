// Seeds as NumPy has them: SeedSequence (O'Neill's seed_seq_fe), and what it makes of a Philox and a PCG64 generator.

const [INIT_A, MULT_A] = [0x43b0d7e5, 0x931e8875];
const [INIT_B, MULT_B] = [0x8b51f9dd, 0x58f38ded];
const [MIX_LEFT, MIX_RIGHT] = [0xca01f9dd, 0x4973f715];
const POOL = 4;
const PCG_STEP = 0x2360ed051fc65da44385df649fccf645n;
const WORD = (1n << 64n) - 1n;
const WHOLE = (1n << 128n) - 1n;

function wordsOf(number) {
  const words = [];
  for (let rest = BigInt(number); rest > 0n; rest >>= 32n) words.push(Number(rest & 0xffffffffn));
  return words.length ? words : [0];
}

/** Returns `count` words of 32 bits of `SeedSequence(seed, spawn_key=spawn)`. */
export function seedWords(seed, spawn, count) {
  const entropy = wordsOf(seed);
  if (spawn.length) {
    while (entropy.length < POOL) entropy.push(0);
    for (const key of spawn) entropy.push(...wordsOf(key));
  }
  let constant = INIT_A;
  const hashed = (value) => {
    let mixed = (value ^ constant) >>> 0;
    constant = Math.imul(constant, MULT_A) >>> 0;
    mixed = Math.imul(mixed, constant) >>> 0;
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  const mixed = (one, two) => {
    const value = (Math.imul(MIX_LEFT, one) - Math.imul(MIX_RIGHT, two)) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const pool = Array.from({ length: POOL }, (_, place) => hashed(entropy[place] ?? 0));
  for (let from = 0; from < POOL; from++) {
    for (let to = 0; to < POOL; to++) if (from !== to) pool[to] = mixed(pool[to], hashed(pool[from]));
  }
  for (const more of entropy.slice(POOL)) {
    for (let to = 0; to < POOL; to++) pool[to] = mixed(pool[to], hashed(more));
  }
  let own = INIT_B;
  return Array.from({ length: count }, (_, place) => {
    let value = (pool[place % POOL] ^ own) >>> 0;
    own = Math.imul(own, MULT_B) >>> 0;
    value = Math.imul(value, own) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  });
}

function longWords(seed, spawn, count) {
  const words = seedWords(seed, spawn, 2 * count);
  return Array.from({ length: count }, (_, i) => BigInt(words[2 * i]) | (BigInt(words[2 * i + 1]) << 32n));
}

/** Returns the seed of the sentence that begins at a character of its text. */
export function sentenceSeed(seed, place) {
  if (!place) return BigInt(seed);
  const [upper, lower] = seedWords(seed, [place], 2);
  return ((BigInt(upper) << 32n) | BigInt(lower)) % (1n << 63n);
}

/** Returns the key of a Philox generator, two words. */
export function philoxKey(seed) {
  return BigInt64Array.from(longWords(seed, [], 2), (word) => BigInt.asIntN(64, word));
}

/** Returns state and increment, upper half first, of the generators of `blocks` blocks of noise. */
export function pcgStates(seed, blocks) {
  const states = new BigInt64Array(4 * blocks);
  for (let block = 0; block < blocks; block++) {
    const [high, low, upper, lower] = longWords(seed, [block], 4);
    const step = ((((upper << 64n) | lower) << 1n) | 1n) & WHOLE;
    const state = ((step + ((high << 64n) | low)) * PCG_STEP + step) & WHOLE;
    [state >> 64n, state & WORD, step >> 64n, step & WORD].forEach((word, place) => {
      states[4 * block + place] = BigInt.asIntN(64, word);
    });
  }
  return states;
}
