/** The way to the cells before and after this one in its case, which lists the best first. */

import { html, mark } from "./dom.js";
import { say } from "./words.js";

export class Neighbours {
  /** @type {{previous: number | null, next: number | null}} */
  found = { previous: null, next: null };

  /** @param {HTMLElement} room @param {import("./api.js").Server} server @param {import("./contract.js").Cell} cell */
  constructor(room, server, cell) {
    this.room = room;
    void server.cells(cell.case).then((told) => this.#show(told.map((/** @type {*} */ one) => one.cell), cell.cell), () => {
      // Without the list there is no way onwards here; the page of the case has it.
    });
  }

  /** Open the cell before or after; nothing where there is none. */
  go(/** @type {"previous" | "next"} */ which) {
    const cell = this.found[which];
    if (cell !== null) window.location.assign(`/cells/${cell}`);
  }

  /** @param {number[]} cells @param {number} open */
  #show(cells, open) {
    const at = cells.indexOf(open);
    if (at < 0) return;
    this.found = { previous: cells[at - 1] ?? null, next: cells[at + 1] ?? null };
    const link = (/** @type {"previous" | "next"} */ which, /** @type {string} */ sign) => {
      const cell = this.found[which];
      const made = html("a", { class: "way", href: cell === null ? null : `/cells/${cell}`, "aria-label": say(`do_${which}_cell`), title: `${say(`do_${which}_cell`)} (${which === "previous" ? "PageUp" : "PageDown"})` }, sign);
      mark(made, "aria-disabled", cell === null ? "true" : null);
      if (cell === null) made.setAttribute("role", "link");
      return made;
    };
    this.room.replaceChildren(link("previous", "‹"), html("span", { class: "soft" }, say("cell_of", { number: at + 1, count: cells.length })), link("next", "›"));
  }
}
