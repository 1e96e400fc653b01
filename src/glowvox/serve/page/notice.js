// What went wrong, in words, with what can be done about it. The box is an alert: a screen reader says it at once.

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

export class Notice {
  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    this.timer = null;
    this.reason = null;
  }

  clear() {
    clearInterval(this.timer);
    this.reason = null;
    this.box.replaceChildren();
  }

  /** Goes where one of these reasons was why it came. */
  settle(...reasons) {
    if (reasons.includes(this.reason)) this.clear();
  }

  /**
   * @param {string} reason why it is shown: "text", "settings", "key", "server", "speech"; it goes with its reason
   * @param {string} title @param {string} detail
   * @param {{label: string, act: () => void}[]} actions
   */
  show(reason, title, detail, actions = []) {
    this.clear();
    this.reason = reason;
    const text = document.createElement("div");
    text.className = "notice-text";
    text.append(paragraph("notice-title", title), paragraph("notice-detail", sentence(detail)));
    const buttons = document.createElement("div");
    buttons.className = "notice-actions";
    buttons.append(...actions.map(({ label, act }) => button(label, act)));
    this.box.append(text, ...(actions.length > 0 ? [buttons] : []));
    return text;
  }

  /** Counts down, then acts; the seconds are shown to the eye only, a screen reader hears them once. */
  countDown(title, seconds, act) {
    let left = seconds;
    const cancel = { label: "Cancel", act: () => this.clear() };
    const now = { label: "Try now", act };
    const text = this.show("busy", title, `Your text is kept, and will be tried again in ${seconds} s`, [now, cancel]);
    const detail = text.querySelector(".notice-detail");
    const heard = paragraph("unseen", detail.textContent);
    detail.setAttribute("aria-hidden", "true");
    text.append(heard);
    this.timer = setInterval(() => {
      left -= 1;
      detail.textContent = `Your text is kept, and will be tried again in ${left} s.`;
      if (left <= 0) act();
    }, 1000);
  }
}

function paragraph(className, text) {
  const element = document.createElement("p");
  element.className = className;
  element.textContent = text;
  return element;
}

function button(label, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "quiet";
  element.textContent = label;
  element.addEventListener("click", act);
  return element;
}
