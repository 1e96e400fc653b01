// The page: a text, a voice, a loudspeaker.

import { loadInWorker, wavBytes } from "../glowvox.js";
import { Player } from "./player.js";

const $ = (id) => document.getElementById(id);
const player = new Player();
const [text, mirror] = [$("text"), $("mirror")];
let voice = null;
let stopping = null;
let spoken = [];

// How the server's style sheets call what the page is doing.
const LAMPS = { loading: "looking", ready: "ready", speaking: "busy", failed: "down" };

function show(state, message) {
  document.body.dataset.state = state;
  $("state").dataset.state = LAMPS[state];
  $("speak").toggleAttribute("data-busy", state === "speaking");
  $("health").textContent = message;
  $("speak").disabled = state === "loading" || state === "failed";
  $("speak-label").textContent = state === "speaking" ? "Stop" : "Speak";
}

function mark(span) {
  const content = text.value;
  const [start, end] = span ?? [0, 0];
  const now = Object.assign(document.createElement("span"), { className: "now", textContent: content.slice(start, end) });
  mirror.replaceChildren(content.slice(0, start), now, `${content.slice(end)}\n`);
}

function warn(lines) {
  $("warnings").hidden = lines.length === 0;
  $("warnings").replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
}

async function speak() {
  const own = (stopping = new AbortController());
  const [began, lines] = [performance.now(), []];
  let [first, length] = [0, 0];
  spoken = [];
  $("download").disabled = true;
  $("figures").textContent = "";
  warn([]);
  show("speaking", "Speaking");
  player.start(voice.sampleRate);
  try {
    const options = { speed: Number($("speed").value), signal: own.signal };
    if (!$("speaker-field").hidden) options.speaker = $("speaker").value;
    for await (const sentence of voice.stream(text.value, options)) {
      first ||= performance.now() - began;
      length += sentence.samples.length;
      spoken.push(sentence.samples);
      lines.push(...sentence.warnings);
      warn(lines);
      player.add(sentence.samples, sentence.sampleRate, () => mark(sentence.span));
    }
    const took = performance.now() - began;
    const seconds = length / voice.sampleRate;
    $("figures").textContent = `${seconds.toFixed(1)} s of speech in ${(took / 1000).toFixed(1)} s, the first after ${Math.round(first)} ms`;
    $("download").disabled = false;
    player.close();
  } catch (error) {
    if (own.signal.aborted) return;
    player.stop();
    warn([...lines, error.message]);
    finished();
  }
}

function stop() {
  stopping?.abort();
  player.stop();
  $("download").disabled = spoken.length === 0;
  finished();
}

function finished() {
  mark(null);
  show("ready", "Ready");
}

function download() {
  const all = new Float32Array(spoken.reduce((sum, piece) => sum + piece.length, 0));
  let place = 0;
  for (const piece of spoken) {
    all.set(piece, place);
    place += piece.length;
  }
  const address = URL.createObjectURL(new Blob([wavBytes(all, voice.sampleRate)], { type: "audio/wav" }));
  Object.assign(document.createElement("a"), { href: address, download: `${voice.name}.wav` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

player.addEventListener("ended", finished);
$("speech").addEventListener("submit", (event) => {
  event.preventDefault();
  if (document.body.dataset.state === "speaking") stop();
  else if (voice) speak();
});
$("download").addEventListener("click", download);
$("speed").addEventListener("input", () => ($("speed-value").value = Number($("speed").value).toFixed(2)));
text.addEventListener("input", () => mark(null));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.dataset.state === "speaking") stop();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("speech").requestSubmit();
});
mark(null);

try {
  if (location.protocol === "file:") {
    throw new Error("open this page from a web server, such as `python -m http.server`: browsers load no modules from files");
  }
  const runtime = new URL("../ort/ort.wasm.min.mjs", import.meta.url);
  if (!(await fetch(runtime, { method: "HEAD" })).ok) {
    throw new Error("onnxruntime-web is not in the folder ort/: export again with --onnxruntime-web, or copy it there; README.md says how");
  }
  const progress = (done, total) => {
    $("health").textContent = `Fetching the voice, ${(done / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB`;
  };
  voice = await loadInWorker({ progress });
  document.title = `${voice.name} · Glowvox`;
  $("voice-name").textContent = voice.name;
  $("voice-note").textContent = voice.card.description;
  $("licence").textContent = `Voice: ${voice.licence}`;
  $("speaker-field").hidden = voice.speakers.length < 2;
  $("speaker").replaceChildren(...voice.speakers.map((name) => new Option(name)));
  show("ready", "Ready");
} catch (error) {
  show("failed", error.message);
}
