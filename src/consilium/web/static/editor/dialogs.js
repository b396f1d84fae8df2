/** Small questions: why is this removed, what is this derivative called, whose change comes first. */

import { html } from "./dom.js";
import { say } from "./words.js";

/**
 * Ask in a modal dialog.
 * @template T
 * @param {string} title
 * @param {(answer: (value: T) => void) => (Node | string)[]} content
 * @param {{wide?: boolean, must?: boolean}} [how]  `must`: it cannot be closed without an answer
 * @returns {Promise<T | null>} null where it was closed
 */
export function ask(title, content, { wide = false, must = false } = {}) {
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  return new Promise((resolve) => {
    /** @type {T | null} */
    let chosen = null;
    const close = (/** @type {T} */ value) => {
      chosen = value;
      dialog.close();
    };
    const heading = html("h2", { id: "dialog-title" }, title);
    const dialog = /** @type {HTMLDialogElement} */ (
      html("dialog", { class: wide ? "asked wide" : "asked", "aria-labelledby": "dialog-title" }, heading, ...content(close))
    );
    if (!must) heading.after(html("button", { type: "button", class: "close quiet", "aria-label": say("close"), onclick: () => dialog.close() }, "×"));
    else dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", () => {
      dialog.remove();
      before?.focus({ preventScroll: true });
      resolve(chosen);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export const REASONS = ["dirt", "nucleus", "other cell", "halo", "other"];

/** Why an object is removed; also by its number. @returns {Promise<string | null>} */
export function askReason() {
  return ask(say("remove_title"), (answer) => {
    const list = html("ol", { class: "answers" }, ...REASONS.map((reason, index) =>
      html("li", {}, html("button", { type: "button", autofocus: index === 0, onclick: () => answer(reason) }, html("kbd", {}, String(index + 1)), " ", say(`reason_${reason.replace(" ", "_")}`)))));
    list.addEventListener("keydown", (event) => {
      const reason = REASONS[Number(event.key) - 1];
      if (reason) answer(reason);
    });
    return [html("p", { class: "soft" }, say("remove_note")), list];
  });
}

/** The letters of ISCN in at most twenty. */
export const NAME = /^[A-Za-z0-9?+~;:.()\/_-]{1,20}$/;

/** What a rearranged chromosome is called. @returns {Promise<string | null>} */
export function askDerivative(/** @type {string} */ proposed) {
  return askText(say("derivative_title"), say("derivative_note"), proposed, (text) => (NAME.test(text) ? "" : say("derivative_wrong")));
}

/** @returns {Promise<string | null>} */
export function askNote() {
  return askText(say("note_title"), say("note_note"), "", (text) => (text.length <= 1000 ? "" : say("note_long")));
}

/**
 * @param {string} title @param {string} note @param {string} proposed
 * @param {(text: string) => string} fault  why it will not do; empty where it does
 * @returns {Promise<string | null>}
 */
export function askText(title, note, proposed, fault) {
  return ask(title, (answer) => {
    const input = /** @type {HTMLInputElement} */ (html("input", { type: "text", value: proposed, "aria-label": title, autofocus: true, spellcheck: "false", autocomplete: "off" }));
    const wrong = html("p", { class: "wrong", role: "alert" });
    const form = html("form", { method: "dialog" }, html("p", { class: "soft" }, note), input, wrong, html("button", {}, say("ok")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = input.value.trim();
      wrong.textContent = text ? fault(text) : say("must_say");
      if (text && !wrong.textContent) answer(text);
    });
    queueMicrotask(() => input.select());
    return [form];
  });
}
