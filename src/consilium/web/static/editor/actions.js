/** Everything a person can do, by name; keys, buttons and menus all come here. */

import { askDerivative, askNote, askReason } from "./dialogs.js";
import { CLASSES, slotOf, UNSURE, MARKER } from "./layout.js";
import { say } from "./words.js";

/** @typedef {import("./contract.js").Command} Command */

const TURN = 5;
const FINE_TURN = 1;

export class Actions {
  /**
   * @param {object} of
   * @param {import("./cell.js").OpenCell} of.cell
   * @param {import("./karyogram.js").Karyogram} of.karyogram
   * @param {import("./metaphase.js").Metaphase} of.metaphase
   * @param {import("./tools.js").Tools} of.tools
   * @param {import("./appearance.js").Appearance} of.appearance
   * @param {import("./inspector.js").Inspector} of.inspector
   * @param {(text: string) => void} of.warn
   * @param {() => void} of.help
   * @param {(label: string) => void} of.compare
   * @param {() => void} of.names
   * @param {import("./neighbours.js").Neighbours} of.neighbours
   */
  constructor({ cell, karyogram, metaphase, tools, appearance, inspector, warn, help, compare, names, neighbours }) {
    this.cell = cell;
    this.karyogram = karyogram;
    this.metaphase = metaphase;
    this.tools = tools;
    this.warn = warn;
    this.compare = compare;
    /** @type {Record<string, () => void>} */
    this.acts = {
      next_doubtful: () => this.#go(cell.nextDoubtful(1)),
      previous_doubtful: () => this.#go(cell.nextDoubtful(-1)),
      confirm: () => this.#confirm(),
      compare: () => compare(cell.chosen?.label ?? "1"),
      assign_X: () => this.assign("X"),
      assign_Y: () => this.assign("Y"),
      assign_unsure: () => this.assign(UNSURE),
      assign_marker: () => this.assign(MARKER),
      assign_derivative: () => this.#derivative(),
      swap: () => this.#swap(),
      flip_vertical: () => this.#each((object) => ({ kind: "flip", object, axis: "vertical" })),
      flip_horizontal: () => this.#each((object) => ({ kind: "flip", object, axis: "horizontal" })),
      rotate_left: () => this.#turn(TURN),
      rotate_right: () => this.#turn(-TURN),
      rotate_left_fine: () => this.#turn(FINE_TURN),
      rotate_right_fine: () => this.#turn(-FINE_TURN),
      straighten: () => this.#each((object) => ({ kind: "straighten", object, on: !cell.shown.get(object)?.straight })),
      cut: () => tools.take("cut"),
      join: () => this.#join(),
      separate: () => tools.take("separate"),
      add: () => tools.take("add"),
      erase: () => tools.take("erase"),
      restore: () => tools.take("restore"),
      other_way: () => tools.otherWay(),
      remove: () => this.#remove(),
      undo: () => this.#undo("undo"),
      redo: () => this.#undo("redo"),
      note: () => this.#note(),
      zoom_in: () => metaphase.zoomBy(1.4, this.#about()),
      zoom_out: () => metaphase.zoomBy(1 / 1.4),
      fit: () => metaphase.fit(),
      invert: () => appearance.invert(),
      plain: () => appearance.reset(),
      names,
      previous_cell: () => neighbours.go("previous"),
      next_cell: () => neighbours.go("next"),
      band_level: () => inspector.nextLevel(),
      put_down: () => (tools.inHand === null ? cell.select(null) : tools.drop()),
      help,
    };
  }

  do(/** @type {string} */ act) {
    this.acts[act]?.();
  }

  /** @returns {boolean} whether the key meant something here */
  fromKey(/** @type {string} */ act, /** @type {KeyboardEvent} */ event) {
    const target = event.target instanceof Element ? event.target : document.body;
    const onMetaphase = target.closest(".metaphase") !== null;
    if (event.key === "Tab") return this.#tab(target);
    if (act === "walk") return onMetaphase ? this.#pan(event.key) : this.#walk(event.key);
    if (act === "shift_place") return this.#shiftPlace(event.key === "ArrowLeft" ? -1 : 1);
    if (!(act in this.acts)) return false;
    this.do(act);
    return true;
  }

  /** Give the chosen chromosomes a class. */
  assign(/** @type {string} */ label) {
    const before = this.cell.selection.at(-1);
    this.#each((object) => (this.cell.shown.get(object)?.label === label ? { kind: "confirm", objects: [object] } : { kind: "reassign", object, label }));
    if (before) this.karyogram.focus(before);
  }

  /** The Tab key goes on to what is doubtful and, after the last, out of the karyogram: nobody is held in it. */
  #tab(/** @type {Element} */ target) {
    const order = this.cell.stored.doubtful;
    const open = this.cell.doubtful;
    if (!target.closest("[data-id]")) return false;
    const at = order.indexOf(this.cell.selection.at(-1) ?? "");
    const next = open.find((id) => order.indexOf(id) > at);
    if (next === undefined) return false;
    this.#go(next);
    return true;
  }

  /** @param {string | null} id */
  #go(id) {
    if (id === null) return this.warn(say("none_doubtful"));
    this.cell.select(id);
    this.karyogram.focus(id);
    this.metaphase.reveal(id);
  }

  #confirm() {
    const chosen = this.cell.selection.filter((id) => !this.cell.shown.get(id)?.confirmed);
    if (!this.cell.selection.length) return this.#go(this.cell.nextDoubtful(1));
    if (chosen.length && this.#allowed()) this.cell.do({ kind: "confirm", objects: chosen });
    const next = this.cell.nextDoubtful(1);
    if (next !== null) this.#go(next);
    else if (chosen.length) this.warn(say("none_doubtful"));
  }

  /** @param {(object: string) => Command} command */
  #each(command) {
    if (!this.#some() || !this.#allowed()) return;
    for (const object of this.cell.selection) this.cell.do(command(object));
  }

  #turn(/** @type {number} */ degrees) {
    if (!this.#some() || !this.#allowed()) return;
    for (const object of this.cell.selection) this.cell.turn(object, degrees);
  }

  #swap() {
    const [object, other] = this.cell.selection.slice(-2);
    if (other === undefined) return this.warn(say("choose_two"));
    if (this.#allowed()) this.cell.do({ kind: "swap", object, other });
  }

  #join() {
    const objects = this.cell.selection;
    if (objects.length < 2) return this.warn(say("choose_several"));
    if (this.#allowed()) this.cell.do({ kind: "join", objects });
  }

  async #derivative() {
    const one = this.cell.chosen;
    if (!one || !this.#allowed()) return void this.#some();
    const named = slotOf(one.label);
    const proposed = CLASSES.includes(one.label) || !CLASSES.includes(named) ? `der(${CLASSES.includes(one.label) ? one.label : "1"})` : one.label;
    const label = await askDerivative(proposed);
    if (label !== null) this.cell.do({ kind: "reassign", object: one.id, label });
  }

  async #remove() {
    const objects = this.cell.selection;
    if (!this.#some() || !this.#allowed()) return;
    const reason = await askReason();
    if (reason === null) return;
    for (const object of objects) this.cell.do({ kind: "remove", object, reason });
  }

  async #note() {
    const one = this.cell.chosen;
    if (!this.#allowed()) return;
    const text = await askNote();
    if (text !== null) this.cell.do({ kind: "note", ...(one ? { object: one.id } : {}), text });
  }

  #undo(/** @type {"undo" | "redo"} */ kind) {
    const { stored, outbox } = this.cell;
    const may = kind === "undo" ? stored.can_undo : stored.can_redo;
    // While commands wait, only the server can say; it answers with a reason where there is nothing.
    if (!may && !outbox.waiting.length) return this.warn(say(kind === "undo" ? "nothing_to_undo" : "nothing_to_redo"));
    if (this.#allowed()) this.cell.do({ kind });
  }

  /** @returns {boolean} */
  #shiftPlace(/** @type {number} */ step) {
    const one = this.cell.chosen;
    if (!one || !this.#allowed()) return false;
    const mates = this.cell.beside(one);
    const at = mates.findIndex((mate) => mate.id === one.id);
    const place = at + step;
    if (place >= 0 && place < mates.length) this.cell.do({ kind: "reassign", object: one.id, label: one.label, place });
    return true;
  }

  /** @returns {boolean} */
  #walk(/** @type {string} */ key) {
    const from = this.cell.selection.at(-1) ?? null;
    if (from === null) {
      const first = this.karyogram.layout?.slots.flatMap((slot) => slot.places).find((one) => one.id !== null)?.id;
      if (first) this.#go(first);
      return first !== undefined;
    }
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] ?? [0, 0];
    const to = this.karyogram.neighbour(from, dx, dy);
    if (to !== null) this.#go(to);
    return true;
  }

  /** @returns {boolean} */
  #pan(/** @type {string} */ key) {
    const far = this.cell.stored.width / this.metaphase.zoom / 8;
    const [dx, dy] = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[key] ?? [0, 0];
    this.metaphase.panBy(dx, dy);
    return true;
  }

  /** Zoom goes to the chosen chromosome. @returns {import("./contract.js").Point | undefined} */
  #about() {
    const box = this.cell.chosen?.box;
    if (!box) return undefined;
    this.metaphase.middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    return this.metaphase.middle;
  }

  #some() {
    if (!this.cell.selection.length) this.warn(say("choose_first"));
    return this.cell.selection.length > 0;
  }

  #allowed() {
    if (!this.cell.editable) this.warn(say("locked"));
    return this.cell.editable;
  }
}
