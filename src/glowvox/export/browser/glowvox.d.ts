/** A voice of Glowvox in JavaScript: text in, samples out, with no server. */

export interface SpeechOptions {
  /** Speaking rate from 0.1 to 10; 2 is twice as fast. */
  speed?: number;
  /** Standard deviation of the acoustic model's noise; 0: the most likely speech. */
  temperature?: number;
  /** Standard deviation of the vocoder's noise. */
  sigma?: number;
  /** Of all noise, a whole number from 0 on: the same seed gives the same samples, here and in Python. */
  seed?: number;
  /** One of the voice's speakers. */
  speaker?: string;
  /** Silence after a sentence inside a paragraph, seconds. */
  sentencePause?: number;
  /** Silence after a paragraph, seconds. */
  paragraphPause?: number;
  /** Whether `[pause:1s]` in a text is a silence of that length. */
  pauseTags?: boolean;
}

export interface StreamOptions extends SpeechOptions {
  /** Stops the speech, between two sentences at the latest. */
  signal?: AbortSignal;
}

export interface Word {
  /** As it is spoken. */
  text: string;
  /** IPA; a stressed vowel begins with its stress mark. */
  phonemes: string[];
  /** Who gave them: lexicon, suffix, rules, spelling, user lexicon, inline. */
  source: string;
  /** Characters of the text, from the first to behind the last. */
  span: [number, number];
}

export interface ReadSentence {
  text: string;
  span: [number, number];
  /** As it is spoken, in ordinary spelling. */
  spoken: string;
  words: Word[];
  /** Numbers of the voice's symbols. */
  tokens: number[];
  /** Silence after it, seconds. */
  pause: number;
}

export interface SpokenSentence extends ReadSentence {
  /** From -1 to 1, with the silence after the sentence. */
  samples: Float32Array;
  /** Samples a second. */
  sampleRate: number;
  /** One line for everything that was guessed or left out since the sentence before. */
  warnings: string[];
}

export interface TimedSentence extends ReadSentence {
  /** Where it begins, seconds. */
  start: number;
  /** Its length with the silence after it. */
  seconds: number;
}

export interface Speech {
  samples: Float32Array;
  sampleRate: number;
  sentences: TimedSentence[];
  warnings: string[];
}

export interface Voice {
  readonly name: string;
  /** Language tag, `en-us`. */
  readonly language: string;
  /** SPDX expression. */
  readonly licence: string;
  readonly sampleRate: number;
  readonly speakers: string[];
  readonly defaults: Required<Omit<SpeechOptions, "speaker">>;
  /** Speaks a text. Rejects with `TextError` where there is nothing to say, with `RangeError` on a wrong option. */
  say(text: string, options?: StreamOptions): Promise<Speech>;
  /** Speaks sentence by sentence; the first is there when it is computed, whatever follows. */
  stream(text: string, options?: StreamOptions): AsyncGenerator<SpokenSentence, void, void>;
  /** Reads a text without speaking it. */
  read(
    text: string,
    options?: SpeechOptions,
  ): { sentences: ReadSentence[]; warnings: string[] } | Promise<{ sentences: ReadSentence[]; warnings: string[] }>;
  /** Lets go of the model, or of the worker. */
  close(): Promise<void>;
}

export interface LoadOptions {
  /** Where the package's files lie; beside this module unless told otherwise. */
  base?: string | URL;
  /** The user's own pronunciations, a line each: `Nguyen = w ɪ n` or `gruut = groot`. */
  lexicon?: string;
  /** Told how many bytes of how many have come. */
  progress?: (done: number, total: number) => void;
}

/** The module `onnxruntime-web` or `onnxruntime-web/wasm`. */
export interface OnnxRuntime {
  InferenceSession: unknown;
  Tensor: unknown;
}

/** Opens the voice in this thread. */
export function load(
  options?: LoadOptions & {
    /** onnxruntime-web; where it is absent, `onnxruntime-web/wasm` is imported by its name. */
    ort?: OnnxRuntime;
    /** Instead of the global one, where files are not fetched as usual. */
    fetch?: (url: URL) => Promise<Response>;
  },
): Promise<Voice>;

/** Opens the voice in a worker, so that the page stays awake while it speaks. */
export function loadInWorker(
  options?: LoadOptions & {
    /** Address of `ort.wasm.min.mjs`, its WebAssembly beside it; `ort/ort.wasm.min.mjs` beside this module if absent. */
    ortUrl?: string | URL;
  },
): Promise<Voice>;

/** Returns a WAV file of 16-bit samples. */
export function wavBytes(samples: Float32Array, sampleRate: number): Uint8Array;

/** Thrown where a text, or a line of a lexicon, cannot be read. */
export class TextError extends Error {}
