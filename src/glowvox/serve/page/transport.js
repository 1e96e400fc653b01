// The button, the clock and the picture that one can click into; and the words for those who do not see them.

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -5, PageUp: 5 };
const LABELS = { playing: "Pause", paused: "Go on" };

const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
const spoken = (seconds) => `${seconds.toFixed(1)} seconds`;

export function connectTransport({ speaking, player, stage, reading, downloads, say }) {
  const element = (id) => document.getElementById(id);
  const picture = element("picture");
  const play = element("play");

  speaking.addEventListener("state", () => {
    const { state, isBusy } = speaking;
    element("stage").dataset.state = state;
    element("speak").toggleAttribute("data-busy", isBusy);
    element("speak-label").textContent = isBusy ? "Stop" : "Speak";
    play.disabled = state === "waiting" || state === "idle" || speaking.recording.samples === 0;
    play.toggleAttribute("data-playing", state === "playing");
    play.setAttribute("aria-label", LABELS[state] ?? "Play again");
    picture.setAttribute("aria-disabled", String(play.disabled));
    if (state === "waiting") say("Asked for.");
    downloads.offer(speaking.recording?.complete ? speaking.recording : null);
    if (state === "done" && speaking.recording.samples > 0) say(`Ended after ${spoken(player.position)}.`);
    element("facts").textContent = factsOf(speaking);
    stage.wake();
  });
  speaking.addEventListener("arrived", () => {
    downloads.offer(speaking.recording);
    element("facts").textContent = factsOf(speaking);
  });

  element("stage").addEventListener("drawn", ({ detail }) => {
    const { recording } = speaking;
    element("now").textContent = clock(detail.heard);
    element("length").textContent = recording?.samples > 0 ? ` / ${clock(recording.duration)}` : "";
    if (speaking.isBusy) reading.light(detail.current);
    if (recording?.samples > 0) announce(picture, detail.heard, recording.duration);
  });

  play.addEventListener("click", () => speaking.toggle());
  picture.addEventListener("click", (event) => {
    const frame = picture.getBoundingClientRect();
    speaking.seek(stage.secondsAt((event.clientX - frame.left) / frame.width));
  });
  picture.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") speaking.toggle();
    else if (event.key === "Home") speaking.seek(0);
    else if (event.key === "End") speaking.seek(Infinity);
    else if (event.key in STEPS) speaking.seek(player.position + STEPS[event.key]);
    else return;
    event.preventDefault();
  });
}

/** Whole seconds only: a screen reader says each change. */
function announce(picture, heard, duration) {
  const value = Math.floor(heard);
  picture.setAttribute("aria-valuemax", duration.toFixed(1));
  if (picture.getAttribute("aria-valuenow") === String(value)) return;
  picture.setAttribute("aria-valuenow", String(value));
  picture.setAttribute("aria-valuetext", `${value} of ${spoken(duration)}`);
}

function factsOf({ state, recording, firstSound, seconds }) {
  if (state === "idle") return "Noise, waiting for a text";
  if (state === "waiting") return "Asking for speech";
  if (firstSound === null) return "";
  const facts = [`first sound after ${firstSound.toFixed(2)} s`];
  if (seconds !== null) facts.push(`${recording.duration.toFixed(1)} s of speech in ${seconds.toFixed(1)} s`);
  facts.push(`${(recording.rate / 1000).toFixed(2).replace(/\.?0+$/, "")} kHz`);
  const line = facts.join(" · ");
  return line.charAt(0).toUpperCase() + line.slice(1);
}
