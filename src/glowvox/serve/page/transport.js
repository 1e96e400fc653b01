// The button, the clock and the picture that one can click into; how loud, how fast, how near; and the words for those
// who do not see them.

import { recall, remember } from "./memory.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 };
const LABELS = { playing: "Pause", paused: "Go on" };
const STATES = { idle: "", waiting: "Asking", playing: "Playing", paused: "Paused", done: "Spoken" };
const VOLUME_PLACE = "glowvox-volume";

const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
const spoken = (seconds) => `${seconds.toFixed(1)} seconds`;

export function connectTransport({ speaking, player, stage, reading, say }) {
  const element = (id) => document.getElementById(id);
  const picture = element("picture");
  const play = element("play");

  speaking.addEventListener("state", () => {
    const { state, isBusy } = speaking;
    const was = element("stage").dataset.state;
    element("stage").dataset.state = state;
    element("state").textContent = STATES[state];
    element("speak").toggleAttribute("data-busy", isBusy);
    element("speak").toggleAttribute("data-waiting", state === "waiting");
    element("speak-label").textContent = isBusy ? "Stop" : "Speak";
    play.disabled = state === "waiting" || state === "idle" || speaking.recording.samples === 0;
    play.toggleAttribute("data-playing", state === "playing");
    play.setAttribute("aria-label", LABELS[state] ?? "Play again");
    picture.setAttribute("aria-disabled", String(play.disabled));
    if (state === "waiting") say("Asked for.");
    if (state === "waiting") bringIntoView(element("stage"), stage.calm.matches);
    if (state === "done" && was !== "done" && speaking.recording.samples > 0) say(`Ended after ${spoken(player.position)}.`);
    element("facts").textContent = factsOf(speaking);
    stage.wake();
  });
  speaking.addEventListener("arrived", () => (element("facts").textContent = factsOf(speaking)));

  element("stage").addEventListener("drawn", ({ detail }) => {
    const { recording } = speaking;
    element("now").textContent = clock(detail.heard);
    element("length").textContent = recording?.samples > 0 ? ` / ${clock(recording.duration)}` : "";
    if (speaking.isBusy) reading.light(detail.current);
    if (recording?.samples > 0) announce(picture, detail.heard, recording.duration);
  });

  play.addEventListener("click", () => speaking.toggle());
  picture.addEventListener("click", (event) => speaking.seek(stage.secondsAt(event.clientX)));
  picture.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") speaking.toggle();
    else if (event.key === "Home") speaking.seek(0);
    else if (event.key === "End") speaking.seek(Infinity);
    else if (event.key === "PageUp") toSentence(-1);
    else if (event.key === "PageDown") toSentence(1);
    else if (event.key === "+") stage.zoom(1);
    else if (event.key === "-") stage.zoom(-1);
    else if (event.key === "0") stage.zoom(0);
    else if (event.key in STEPS) speaking.seek(player.position + STEPS[event.key]);
    else return;
    event.preventDefault();
  });
  element("scroller").addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    stage.zoom(event.deltaY < 0 ? 1 : -1);
  });
  element("overview").addEventListener("pointerdown", (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const move = ({ clientX }) => {
      const { scroller } = stage;
      scroller.scrollLeft = ((clientX - box.left) / box.width) * scroller.scrollWidth - scroller.clientWidth / 2;
    };
    move(event);
    event.currentTarget.setPointerCapture(event.pointerId);
    event.currentTarget.onpointermove = move;
    event.currentTarget.onpointerup = () => (element("overview").onpointermove = null);
  });

  /** Plays from the next sentence on, or from the one before; shortly after its beginning this is the one before it. */
  function toSentence(step) {
    const starts = (speaking.recording?.sentences ?? []).map((one) => one.from);
    if (starts.length === 0) return;
    const at = player.position;
    const here = starts.findLastIndex((start) => start <= at + 0.01);
    const isAtItsStart = at - starts[Math.max(0, here)] < 1;
    const wanted = step > 0 ? here + 1 : here - (isAtItsStart ? 1 : 0);
    if (wanted < starts.length) speaking.seek(starts[Math.max(0, wanted)]);
  }
  element("sentence-before").addEventListener("click", () => toSentence(-1));
  element("sentence-after").addEventListener("click", () => toSentence(1));
  element("nearer").addEventListener("click", () => stage.zoom(1));
  element("further").addEventListener("click", () => stage.zoom(-1));
  element("whole").addEventListener("click", () => stage.zoom(0));
  element("factor").addEventListener("change", ({ target }) => player.setFactor(Number(target.value)));
  const volume = element("volume");
  const setVolume = () => {
    // Loudness goes with the square, or so it seems to the ear.
    player.setVolume((Number(volume.value) / 100) ** 2);
    volume.setAttribute("aria-valuetext", `${volume.value} percent`);
    remember("localStorage", VOLUME_PLACE, volume.value);
  };
  volume.value = recall("localStorage", VOLUME_PLACE) ?? volume.value;
  volume.addEventListener("input", setVolume);
  setVolume();
}

function bringIntoView(stage, isCalm) {
  const box = stage.getBoundingClientRect();
  if (box.top >= 0 && box.bottom <= window.innerHeight) return;
  const isTall = box.height > window.innerHeight;
  stage.scrollIntoView({ block: isTall ? "start" : "nearest", behavior: isCalm ? "auto" : "smooth" });
}

/** Whole seconds only: a screen reader says each change. */
function announce(picture, heard, duration) {
  const value = Math.floor(heard);
  picture.setAttribute("aria-valuemax", duration.toFixed(1));
  if (picture.getAttribute("aria-valuenow") === String(value)) return;
  picture.setAttribute("aria-valuenow", String(value));
  picture.setAttribute("aria-valuetext", `${value} of ${spoken(duration)}`);
}

function factsOf({ state, recording }) {
  if (state === "idle") return "Noise, waiting for a text";
  if (state === "waiting" || recording.firstSound === null) return "";
  const facts = [`first sound after ${recording.firstSound.toFixed(2)} s`];
  if (recording.took !== null) facts.push(`${recording.duration.toFixed(1)} s of speech in ${recording.took.toFixed(1)} s`);
  facts.push(`${(recording.rate / 1000).toFixed(2).replace(/\.?0+$/, "")} kHz`);
  const line = facts.join(" · ");
  return line.charAt(0).toUpperCase() + line.slice(1);
}
