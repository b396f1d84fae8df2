/** What is stored and what is not, how many interactions it took, and what the server had to say. */

import { ask } from "./dialogs.js";
import { html, mark } from "./dom.js";
import { fieldName, say } from "./words.js";

/** Milliseconds for which a notice stays. */
const NOTICE = 7000;

export class Status {
  /**
   * @param {HTMLElement} bar
   * @param {HTMLElement} notices
   * @param {import("./cell.js").OpenCell} cell
   */
  constructor(bar, notices, cell) {
    this.cell = cell;
    this.notices = notices;
    this.saved = html("button", { type: "button", class: "saved", "data-state": "idle", onclick: () => cell.outbox.hurry() });
    this.live = html("span", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    this.karyotype = html("span", { class: "iscn karyotype" });
    this.count = html("span", { class: "figure chromosomes" });
    this.doubtful = html("span", { class: "figure doubtful" });
    this.interactions = html("span", { class: "figure interactions", title: say("interactions_title") });
    this.typed = html("span", { class: "typed", hidden: true });
    bar.append(this.karyotype, this.count, this.doubtful, this.interactions, this.typed, this.saved, this.live);
    cell.addEventListener("objects", () => this.draw());
    cell.outbox.addEventListener("change", () => this.draw());
    cell.outbox.addEventListener("refused", (event) => this.#refused(/** @type {CustomEvent} */ (event).detail));
    cell.outbox.addEventListener("unkept", () => this.warn(say("unkept")));
    window.addEventListener("beforeunload", (event) => {
      if (cell.outbox.waiting.length) event.preventDefault();
    });
    this.draw();
  }

  draw() {
    const { stored, outbox, doubtful } = this.cell;
    this.karyotype.textContent = stored.karyotype;
    this.count.textContent = say("count", { count: stored.count });
    this.doubtful.textContent = doubtful.length ? say("doubtful", { count: doubtful.length }) : say("all_looked");
    mark(this.doubtful, "data-some", doubtful.length > 0);
    this.interactions.textContent = say("interactions", { count: stored.interactions });
    const state = outbox.state === "idle" ? (outbox.waiting.length ? "sending" : "saved") : outbox.state;
    const text = say(`saved_${state}`, { count: outbox.waiting.length });
    if (this.saved.textContent !== text) {
      this.saved.textContent = text;
      this.saved.dataset.state = state;
      this.saved.title = outbox.trouble?.what ?? say(`saved_${state}_title`);
      // A reader of screens hears of trouble and of its end, not of every command on its way.
      if (state !== "sending" && this.#told !== state) this.live.textContent = text;
      if (state !== "sending") this.#told = state;
    }
  }

  #told = "";

  /** Digits typed so far. */
  typing(/** @type {string} */ typed) {
    this.typed.hidden = !typed;
    this.typed.textContent = typed ? say("typing", { typed }) : "";
  }

  warn(/** @type {string} */ text) {
    this.#notice(text, "warning");
  }

  /** @param {{waiting: import("./outbox.js").Waiting, error: import("./contract.js").Refusal}} told */
  #refused({ waiting, error }) {
    const why = [error.what, error.way_out].filter(Boolean).join(/[一-鿿]/.test(error.what) ? "。" : ". ");
    const what = say("refused", { command: describe(waiting.command), why });
    this.#notice(what, "refused");
  }

  #notice(/** @type {string} */ text, /** @type {string} */ kind) {
    for (const old of this.notices.children) if (old.getAttribute("data-text") === text) old.remove();
    const notice = html("div", { class: `note ${kind}`, role: kind === "refused" ? "alert" : "status", "data-text": text }, html("span", {}, text),
      html("button", { type: "button", class: "quiet", "aria-label": say("close"), onclick: () => notice.remove() }, "×"));
    this.notices.append(notice);
    // What was taken back stays until somebody has read it.
    if (kind !== "refused") window.setTimeout(() => notice.remove(), NOTICE);
  }
}

/**
 * Somebody else changed the cell while commands waited here.
 * @param {*[]} theirs  entries of the log since the version that was seen
 * @param {import("./outbox.js").Waiting[]} mine
 * @returns {Promise<"resend" | "discard">}
 */
export async function askWhose(theirs, mine) {
  const answer = await ask(say("changed_title"), (choose) => [
    html("p", {}, say("changed_note")),
    html("ul", { class: "theirs" }, ...theirs.map((one) => html("li", {}, `${one.who} · ${when(one.at)} · ${describe(one.command)}`))),
    html("p", {}, say("changed_mine", { count: mine.length })),
    html("ul", { class: "mine" }, ...mine.map((one) => html("li", {}, describe(one.command)))),
    html("div", { class: "answers-row" },
      html("button", { type: "button", onclick: () => choose("resend") }, say("changed_resend")),
      html("button", { type: "button", class: "second", onclick: () => choose("discard") }, say("changed_discard"))),
  ], { must: true });
  return answer === "discard" ? "discard" : "resend";
}

/** A command in words. */
export function describe(/** @type {import("./contract.js").Command} */ command) {
  const what = say(`command_${command.kind}`);
  return command.label ? `${what} → ${fieldName(command.label)}` : what;
}

function when(/** @type {string} */ at) {
  const time = new Date(at);
  return Number.isNaN(time.valueOf()) ? at : time.toLocaleString(document.documentElement.lang);
}
