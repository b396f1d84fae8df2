/** The open cell: what the server has, what waits, and what a person looks at. */

import { foresee } from "./foresee.js";
import { homeOf } from "./layout.js";

/** @typedef {import("./contract.js").Cell} Cell */
/** @typedef {import("./contract.js").Command} Command */
/** @typedef {import("./foresee.js").Shown} Shown */

/** Events: "objects" (anything about the chromosomes), "selection", "hover". */
export class OpenCell extends EventTarget {
  /** @type {Map<string, Shown>} */
  shown = new Map();
  /** @type {string[]} in the order in which they were chosen; the last one is what keys act on */
  selection = [];
  /** @type {string | null} */
  hovered = null;

  /** @param {Cell} stored @param {import("./outbox.js").Outbox} outbox */
  constructor(stored, outbox) {
    super();
    this.stored = stored;
    this.outbox = outbox;
    outbox.addEventListener("change", () => this.#look());
    outbox.addEventListener("taken", (event) => this.#take(/** @type {CustomEvent} */ (event).detail));
    this.#look();
  }

  /** The cell was read again. */
  replace(/** @type {Cell} */ stored) {
    this.stored = stored;
    this.#look();
  }

  /** @returns {Shown | null} */
  get chosen() {
    return this.shown.get(this.selection.at(-1) ?? "") ?? null;
  }

  /** Ids of chromosomes that nobody has confirmed, in the order in which to look. */
  get doubtful() {
    return this.stored.doubtful.filter((id) => {
      const one = this.shown.get(id);
      return one !== undefined && !one.confirmed;
    });
  }

  get editable() {
    return !this.stored.locked;
  }

  /** @param {Command} command */
  do(command) {
    if (this.editable) this.outbox.add(command);
  }

  /**
   * Turn a chromosome, counter-clockwise as it is seen. A straightened one is shown along its own axis whichever way it
   * lies, so that it is shown as it lies first.
   */
  turn(/** @type {string} */ id, /** @type {number} */ degrees) {
    const one = this.shown.get(id);
    if (!one) return;
    if (one.straight) this.do({ kind: "straighten", object: id, on: false });
    this.do({ kind: "rotate", object: id, degrees: one.mirrored ? -degrees : degrees });
  }

  /** @param {string | null} id @param {{extend?: boolean}} [how] */
  select(id, { extend = false } = {}) {
    if (id === null) this.selection = [];
    else if (!extend) this.selection = [id];
    else if (this.selection.includes(id)) this.selection = this.selection.filter((other) => other !== id);
    else this.selection = [...this.selection, id];
    this.dispatchEvent(new Event("selection"));
  }

  /** @param {string | null} id */
  hover(id) {
    if (id === this.hovered) return;
    this.hovered = id;
    this.dispatchEvent(new Event("hover"));
  }

  /** The next one to look at after the chosen one; null where nothing is doubtful any more. */
  nextDoubtful(step = 1) {
    const order = this.stored.doubtful;
    const open = this.doubtful;
    if (!open.length) return null;
    const at = order.indexOf(this.selection.at(-1) ?? "");
    if (at < 0) return step > 0 ? open[0] : open[open.length - 1];
    for (let far = 1; far <= order.length; far += 1) {
      const id = order[(at + step * far + order.length * far) % order.length];
      if (open.includes(id) && id !== this.selection.at(-1)) return id;
    }
    return open.includes(order[at]) ? order[at] : null;
  }

  /** What stands beside a chromosome, itself too, in its order. */
  beside(/** @type {Shown} */ one) {
    const mates = [...this.shown.values()].filter((each) => homeOf(each.label) === homeOf(one.label));
    return mates.sort((first, second) => first.place - second.place);
  }

  /** @param {{waiting: import("./outbox.js").Waiting, answer: import("./contract.js").Answer}} told */
  #take({ waiting, answer }) {
    const { changed, removed, ...figures } = answer;
    const objects = new Map(this.stored.objects.map((one) => [one.id, one]));
    const before = new Set(objects.keys());
    for (const id of removed) objects.delete(id);
    for (const one of changed) objects.set(one.id, one);
    this.stored = { ...this.stored, ...figures, objects: [...objects.values()] };
    const made = changed.map((one) => one.id).filter((id) => !before.has(id));
    this.#look();
    if (made.length && waiting.command.kind !== "undo" && waiting.command.kind !== "redo") {
      this.selection = made;
      this.dispatchEvent(new Event("selection"));
    }
  }

  #look() {
    this.shown = foresee(this.stored.objects, this.outbox.waiting.map((one) => one.command));
    const left = this.selection.filter((id) => this.shown.has(id));
    const lost = left.length !== this.selection.length;
    this.selection = left;
    if (this.hovered !== null && !this.shown.has(this.hovered)) this.hovered = null;
    this.dispatchEvent(new Event("objects"));
    if (lost) this.dispatchEvent(new Event("selection"));
  }
}
