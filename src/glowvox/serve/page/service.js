// The server as the page sees it: its voices, and speech as a stream of events. What fails becomes a `Failure`.

import { bytesOf, events } from "./event_stream.js";
import { recall, remember } from "./memory.js";

/** @typedef {"offline" | "key" | "busy" | "long" | "refused" | "broken"} Kind */

export class Failure extends Error {
  /** @param {Kind} kind @param {string} message @param {number} wait seconds until it may be tried again */
  constructor(kind, message, wait = 0) {
    super(message);
    this.kind = kind;
    this.wait = wait;
  }
}

const KINDS = { 401: "key", 403: "key", 413: "long", 429: "busy", 502: "offline", 503: "busy" };
const WAIT_IF_UNSAID = 3;
const LONGEST_WAIT = 120;
const KEY_PLACE = "glowvox-key";

export class Service {
  /** @param {string} base the page's own address; the service lies beside it, also behind a proxy with a path */
  constructor(base) {
    this.base = new URL("v1", base).href;
    this.description = new URL("openapi.json", base).href;
    this.key = recall("sessionStorage", KEY_PLACE) ?? "";
  }

  /** Keeps the key for this tab only. */
  useKey(key) {
    this.key = key;
    remember("sessionStorage", KEY_PLACE, key);
  }

  /** Returns the voices. */
  async voices() {
    const response = await this.request("audio/voices", {});
    return (await response.json()).voices;
  }

  /** Returns the names of the fields that a request for speech may have. */
  async fields() {
    const description = await (await fetch(this.description)).json();
    return new Set(Object.keys(description.components.schemas.SpeechRequest.properties));
  }

  /**
   * Speaks. Yields {words, rate} and {bytes} in the order in which they are to be used, and returns at the end.
   * @param {object} body of the request @param {AbortSignal} signal stops the synthesis
   */
  async *speak(body, signal) {
    const response = await this.request("audio/speech", {
      method: "POST",
      signal,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...body, response_format: "pcm", stream_format: "sse", timestamps: true }),
    });
    try {
      for await (const event of events(response.body)) {
        if (event.type === "speech.audio.words") yield { words: event.words, rate: event.sample_rate };
        else if (event.type === "speech.audio.delta") yield { bytes: bytesOf(event.audio) };
        else if (event.type === "speech.audio.done") return;
        else if (event.type === "error") throw new Failure("broken", event.error.message);
      }
    } catch (error) {
      if (error instanceof Failure || signal.aborted) throw error;
      throw new Failure("broken", "The connection was cut.");
    }
    throw new Failure("broken", "The connection was cut.");
  }

  /**
   * Says how a text would be read, see the server's /v1/explain.
   * @param {object} body of a request for speech @param {AbortSignal} [signal]
   */
  async explain(body, signal) {
    const options = { method: "POST", signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    return (await this.request("explain", options)).json();
  }

  /** Returns a sound file of the speech. @param {object} body of the request @param {string} format such as "mp3" */
  async file(body, format) {
    const content = JSON.stringify({ ...body, response_format: format });
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: content };
    return (await this.request("audio/speech", options)).blob();
  }

  /** Returns a sentence in a voice as a sound file. @param {string} voice its id @param {string} [speaker] */
  async sample(voice, speaker) {
    const query = speaker === undefined ? "" : `?speaker=${encodeURIComponent(speaker)}`;
    return (await this.request(`audio/voices/${encodeURIComponent(voice)}/sample${query}`, {})).blob();
  }

  async request(path, options) {
    const headers = { ...options.headers, ...(this.key === "" ? {} : { Authorization: `Bearer ${this.key}` }) };
    let response;
    try {
      response = await fetch(`${this.base}/${path}`, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Failure("offline", "The server does not answer.");
    }
    if (response.ok) return response;
    throw await failureOf(response);
  }
}

async function failureOf(response) {
  const kind = KINDS[response.status] ?? "refused";
  const said = Number(response.headers.get("Retry-After"));
  const wait = said > 0 ? Math.min(LONGEST_WAIT, Math.ceil(said)) : WAIT_IF_UNSAID;
  const body = await response.json().catch(() => null);
  return new Failure(kind, body?.error?.message ?? `The server answered ${response.status}.`, kind === "busy" ? wait : 0);
}
