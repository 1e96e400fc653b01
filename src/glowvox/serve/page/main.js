// Puts the page together: what is pressed goes to `Speaking`, and what that says is shown.

import { EXAMPLES } from "./examples.js";
import { connectFailures } from "./failures.js";
import { Notice } from "./notice.js";
import { Player } from "./player.js";
import { Reading } from "./reading.js";
import { Service } from "./service.js";
import { connectTransport } from "./transport.js";
import { Speaking } from "./speaking.js";
import { Stage } from "./stage.js";
import { Downloads } from "./downloads.js";
import { Overrides } from "./overrides.js";

const element = (id) => document.getElementById(id);
const text = element("text");
const numberFormat = new Intl.NumberFormat("en");

const service = new Service(document.baseURI);
const player = new Player();
const stage = new Stage(element("stage"), () => player.position);
const reading = new Reading(element("sheet"), text);
const speaking = new Speaking({ service, player, stage, reading });
const overrides = new Overrides(element("speech"));
const notice = new Notice(element("notice"));
const say = (words) => (element("said").textContent = words);
const downloads = new Downloads(document.body, () => ({ base: service.base, body: overrides.body, secured: service.key !== "" }), say);

function speak() {
  notice.clear();
  text.removeAttribute("aria-invalid");
  const { wrong } = overrides;
  if (overrides.body.input === "") {
    notice.show("There is nothing to say yet", "Write or paste a text first");
    text.setAttribute("aria-invalid", "true");
    text.focus();
    return;
  }
  if (wrong !== null) {
    openMore(true);
    notice.show(`This ${wrong.labels[0].textContent.toLowerCase()} cannot be used`, `Choose a number from ${wrong.min} to ${wrong.max}`);
    wrong.focus();
    return;
  }
  speaking.speak(overrides.body, text.value, overrides.chosen?.sample_rate);
}

function openMore(open) {
  element("more").hidden = !open;
  element("more-toggle").setAttribute("aria-expanded", String(open));
}

function showText() {
  text.removeAttribute("aria-invalid");
  element("count").value = `${numberFormat.format(text.value.length)} characters`;
  reading.close(text.value);
  downloads.write();
}

function connectForm() {
  element("speech").addEventListener("submit", (event) => {
    event.preventDefault();
    if (speaking.isBusy) speaking.stop();
    else speak();
  });
  element("speech").addEventListener("input", () => downloads.write());
  text.addEventListener("input", showText);
  element("more-toggle").addEventListener("click", () => openMore(element("more").hidden));
  for (const button of document.querySelectorAll("[data-example]")) {
    button.addEventListener("click", () => {
      speaking.stop();
      text.value = EXAMPLES[button.dataset.example];
      showText();
      text.focus();
    });
  }
}

function connectKeys() {
  const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);
  element("speak-key").textContent = isApple ? "⌘" : "Ctrl";
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      speak();
    } else if (event.key === "Escape") {
      notice.clear();
      speaking.stop();
    }
  });
}

connectForm();
connectKeys();
connectTransport({ speaking, player, stage, reading, downloads, say });
connectFailures({ service, speaking, overrides, notice, downloads, speak });
showText();
