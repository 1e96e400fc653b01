// What is done when something fails, and how the page finds its way back.

const PAUSE_MS = 5000;
const TITLES = {
  offline: "The server does not answer",
  long: "This text is too long",
  refused: "The server cannot speak this",
  broken: "The speech broke off",
};
const DETAILS = { offline: "It may be starting, or stopped. Your text is kept here" };

export function connectFailures({ service, speaking, overrides, notice, speak }) {
  const element = (id) => document.getElementById(id);
  const health = element("health");
  const keyForm = element("key-form");
  let isWanted = false;
  let timer = null;

  const showHealth = (state, words) => {
    health.dataset.state = state;
    if (element("health-text").textContent !== words) element("health-text").textContent = words;
  };

  async function look() {
    clearTimeout(timer);
    try {
      const voices = await service.voices();
      overrides.allow(await service.fields().catch(() => new Set()));
      overrides.offer(voices);
      keyForm.hidden = true;
      notice.settle("key", "server");
      showHealth("ready", voices.length === 1 ? "Ready" : `Ready, ${voices.length} voices`);
      return true;
    } catch (failure) {
      if (failure.kind === "key") askForKey(failure);
      else {
        const isBusy = failure.kind === "busy";
        showHealth(isBusy ? "busy" : "down", isBusy ? "The server is busy" : "No server");
        timer = setTimeout(look, PAUSE_MS);
      }
      return false;
    }
  }

  function askForKey(failure) {
    showHealth("locked", "A key is needed");
    const wasTried = service.key !== "";
    keyForm.hidden = false;
    element("key").toggleAttribute("aria-invalid", false);
    if (wasTried) element("key").setAttribute("aria-invalid", "true");
    notice.show("key", wasTried ? "This key is not accepted" : "This server asks for a key", wasTried ? failure.message : "Whoever runs it can give you one");
  }

  keyForm.addEventListener("submit", async (event) => {
    event.preventDefault();
    service.useKey(element("key").value.trim());
    if (!(await look())) return element("key").focus();
    notice.clear();
    element("key").value = "";
    if (isWanted) speak();
    else element("text").focus();
    isWanted = false;
  });

  function fail(failure) {
    const again = { label: "Try again", act: speak };
    if (failure.kind === "key") {
      isWanted = true;
      askForKey(failure);
      element("key").focus();
    } else if (failure.kind === "busy") notice.countDown("The server is busy", failure.wait, speak);
    else if (failure.kind === "long" || failure.kind === "refused") {
      notice.show("text", TITLES[failure.kind], failure.message);
      element("text").setAttribute("aria-invalid", "true");
    } else {
      const isOffline = failure.kind === "offline";
      const title = TITLES[failure.kind] ?? "The page failed";
      notice.show(isOffline ? "server" : "speech", title, DETAILS[failure.kind] ?? failure.message, [again]);
      if (isOffline) showHealth("down", "No server");
      if (isOffline) timer = setTimeout(look, PAUSE_MS);
    }
  }

  speaking.addEventListener("failure", ({ detail }) => fail(detail));
  look();
  return fail;
}
