/** What was done with the cell: counted, analysed, karyotyped are three acts, each said and withdrawn by itself. */

import { askText } from "./dialogs.js";
import { html, mark } from "./dom.js";
import { say } from "./words.js";

const ACTS = ["counted", "analysed", "karyotyped"];

export class ActsBar {
  /** @type {Map<string, HTMLElement>} */
  #buttons = new Map();

  /**
   * @param {HTMLElement} room
   * @param {import("./api.js").Server} server
   * @param {import("./cell.js").OpenCell} cell
   * @param {(text: string) => void} warn
   */
  constructor(room, server, cell, warn) {
    this.server = server;
    this.cell = cell;
    this.warn = warn;
    for (const act of ACTS) {
      const button = html("button", { type: "button", class: "act", "data-act-name": act, onclick: () => this.#press(act) }, say(`act_${act}`));
      this.#buttons.set(act, button);
      room.append(button);
    }
    cell.addEventListener("objects", () => this.draw());
    this.draw();
  }

  draw() {
    for (const [act, button] of this.#buttons) {
      const by = this.cell.stored.acts_by?.find((one) => one.act === act);
      mark(button, "title", by ? say("by_act", { who: by.by, when: new Date(by.at).toLocaleString(document.documentElement.lang) }) : null);
      mark(button, "aria-pressed", this.cell.stored.acts.includes(act) ? "true" : "false");
      mark(button, "aria-disabled", this.cell.editable ? null : "true");
    }
  }

  /** @param {string} act */
  async #press(act) {
    const { cell } = this;
    if (!cell.editable) return this.warn(say("locked"));
    if (cell.outbox.waiting.length) return this.warn(say("act_waits"));
    const holds = cell.stored.acts.includes(act);
    try {
      if (holds) {
        const reason = await askText(say("withdraw_title"), say("withdraw_note"), "", (text) => (text.length <= 1000 ? "" : say("note_long")));
        if (reason === null) return;
        cell.replace(await this.server.withdraw(cell.stored.cell, act, reason));
      } else cell.replace(await this.server.act(cell.stored.cell, act, cell.stored.version));
    } catch (problem) {
      this.warn(String(/** @type {*} */ (problem)?.message ?? problem));
    }
  }
}
