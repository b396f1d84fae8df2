/** The drawing tools: what is drawn on the metaphase, and which command it becomes. */

import { guessTwo } from "./crossing.js";
import { Drawing } from "./drawing.js";
import { svg } from "./dom.js";
import { area, dense, insideAny, rounded, simplify } from "./geometry.js";
import { pathOf } from "./metaphase.js";
import { say } from "./words.js";

/** @typedef {import("./contract.js").Point} Point */
/** @typedef {"cut" | "separate" | "add" | "erase" | "restore"} ToolName */

/** Events: "change" (the tool in hand, its hint). */
export class Tools extends EventTarget {
  /** @type {ToolName | null} */
  inHand = null;
  hint = "";
  /** How pixels are erased and restored. @type {"brush" | "lasso"} */
  way = "brush";
  /** @type {Drawing | null} */
  #drawing = null;
  /** @type {{object: string, parts: [Point[], Point[]] | null, next: 0 | 1, shapes: SVGElement[]} | null} */
  #parting = null;

  /**
   * @param {import("./cell.js").OpenCell} cell
   * @param {import("./metaphase.js").Metaphase} metaphase
   * @param {(what: string) => void} warn
   */
  constructor(cell, metaphase, warn) {
    super();
    this.cell = cell;
    this.metaphase = metaphase;
    this.warn = warn;
    this.radius = 0;
    cell.addEventListener("selection", () => this.inHand === "separate" && this.#parting?.object !== cell.chosen?.id && this.drop());
  }

  /** Take a tool in hand, or put it down where it is in hand already. */
  take(/** @type {ToolName} */ name) {
    if (this.inHand === name || !this.cell.editable) return this.drop();
    this.drop();
    if (name === "separate" || name === "restore") {
      if (!this.cell.chosen) return this.warn(say("choose_first"));
      if (this.cell.chosen.waits) return this.warn(say("still_waiting"));
    }
    this.inHand = name;
    if (name === "separate") this.#guess();
    else this.#draw();
    this.#tell();
  }

  /** Put the tool down; what is drawn and not sent goes with it. */
  drop() {
    this.inHand = null;
    for (const shape of this.#parting?.shapes ?? []) shape.remove();
    this.#parting = null;
    this.#drawing?.stop();
    this.#drawing = null;
    this.#tell();
  }

  /** Brush or lasso, for pixels. */
  otherWay() {
    this.way = this.way === "brush" ? "lasso" : "brush";
    if (this.inHand === "erase" || this.inHand === "restore") this.#draw();
    this.#tell();
  }

  /** @returns {boolean} whether the key belonged to the tool in hand */
  key(/** @type {KeyboardEvent} */ event) {
    if (this.inHand === null) return false;
    if (event.key === "Escape") return this.drop(), true;
    if (this.#parting) {
      if (event.key === "1" || event.key === "2") return this.#redraw(event.key === "1" ? 0 : 1), true;
      if (event.key === "Enter" && this.#parting.parts && !this.#drawing) return this.#part(), true;
    }
    return this.#drawing?.key(event) ?? false;
  }

  #draw() {
    this.#drawing?.stop();
    const name = this.inHand;
    const way = name === "cut" ? "line" : name === "erase" || name === "restore" ? this.way : "lasso";
    this.#drawing = new Drawing(this.metaphase, {
      way,
      radius: this.radius || this.#usualRadius(),
      start: this.#start(),
      done: (drawn) => this.#done(drawn),
      stopped: () => {
        if (this.#drawing) this.radius = this.#drawing.way === "brush" ? this.#drawing.radius : this.radius;
      },
    });
  }

  /** A third of a chromosome's width: fine enough for a halo. */
  #usualRadius() {
    const widths = [...this.cell.shown.values()].map((one) => one.sprite_width).sort((one, other) => one - other);
    return Math.max(1.5, (widths[widths.length >> 1] ?? 12) / 5);
  }

  /** @returns {Point} */
  #start() {
    const one = this.cell.chosen;
    return one ? [Math.round((one.box[0] + one.box[2]) / 2), Math.round((one.box[1] + one.box[3]) / 2)] : this.metaphase.middle;
  }

  /** @param {Point[]} drawn */
  #done(drawn) {
    if (this.#parting) return this.#drew(drawn);
    if (this.inHand === "add") {
      this.cell.do({ kind: "add", polygon: drawn });
      return this.drop();
    }
    const line = this.inHand === "cut";
    const object = this.inHand === "restore" ? (this.cell.chosen?.id ?? null) : this.#meant(dense(drawn, !line), drawn);
    if (object === null) return this.warn(say(line ? "cut_nothing" : "erase_nothing"));
    this.cell.select(object);
    if (line) {
      this.cell.do({ kind: "cut", object, line: drawn });
      return this.drop();
    }
    // Erasing and restoring go on until they are put down: a halo takes more than one stroke.
    this.cell.do({ kind: /** @type {string} */ (this.inHand), object, polygon: drawn });
  }

  /** Which chromosome a stroke is about: the chosen one where it meets it, else the one it meets most. */
  #meant(/** @type {Point[]} */ stroke, /** @type {Point[]} */ outline) {
    const met = (/** @type {import("./foresee.js").Shown} */ one) =>
      stroke.filter((point) => insideAny(point, one.polygons)).length +
      one.polygons.flat().filter((point) => outline.length > 2 && insideAny(point, [outline])).length;
    const { chosen } = this.cell;
    if (chosen && met(chosen) > 0) return chosen.id;
    let [best, found] = [0, /** @type {string | null} */ (null)];
    for (const one of this.cell.shown.values()) {
      const count = met(one);
      if (count > best) [best, found] = [count, one.id];
    }
    return found;
  }

  #guess() {
    const one = this.cell.chosen;
    if (!one) return;
    const outline = [...one.polygons].sort((first, second) => Math.abs(area(second)) - Math.abs(area(first)))[0] ?? [];
    const parts = guessTwo(outline);
    this.#parting = { object: one.id, parts, next: 0, shapes: [] };
    this.metaphase.reveal(one.id);
    if (parts) this.#showParts();
    else this.#redraw(0);
  }

  #showParts() {
    const parting = this.#parting;
    if (!parting) return;
    for (const shape of parting.shapes) shape.remove();
    parting.shapes = (parting.parts ?? []).map((part, index) => svg("path", { class: `half half-${index + 1}`, d: pathOf([part]) }));
    this.metaphase.layer.prepend(...parting.shapes);
  }

  #redraw(/** @type {0 | 1} */ which) {
    if (!this.#parting) return;
    this.#parting.next = which;
    this.#draw();
    this.#tell();
  }

  /** @param {Point[]} drawn */
  #drew(drawn) {
    const parting = this.#parting;
    if (!parting) return;
    const other = parting.parts?.[1 - parting.next] ?? [];
    parting.parts = parting.next === 0 ? [drawn, other] : [other, drawn];
    this.#showParts();
    this.#drawing?.stop();
    this.#drawing = null;
    if (!other.length) this.#redraw(/** @type {0 | 1} */ (1 - parting.next));
    this.metaphase.view.focus({ preventScroll: true });
    this.#tell();
  }

  /** Send the two parts as they are drawn. */
  #part() {
    const parting = this.#parting;
    if (!parting?.parts) return;
    const [first, second] = parting.parts.map((part) => rounded(simplify([...part, part[0]], 0.5).slice(0, -1)));
    this.cell.do({ kind: "separate", object: parting.object, first, second });
    this.drop();
  }

  /** The button beside the hint does what Enter does. */
  accept() {
    if (this.#parting && !this.#drawing) this.#part();
  }

  get canAccept() {
    return this.#parting !== null && this.#parting.parts !== null && this.#drawing === null;
  }

  #tell() {
    const parting = this.#parting;
    this.hint = "";
    if (parting) this.hint = this.#drawing ? say(`hint_part_${parting.next + 1}`) : say("hint_accept");
    else if (this.inHand) this.hint = say(`hint_${this.inHand}`);
    this.dispatchEvent(new Event("change"));
  }
}
