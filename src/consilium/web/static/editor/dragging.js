/** Dragging: a chromosome to another class or place, onto another one to swap (with Alt), or its handle to turn it. */

import { html } from "./dom.js";
import { CLASSES, MARKER, UNSURE, homeOf, slotOf } from "./layout.js";

/** CSS pixels a pointer moves before a press is a drag and not a click. */
const SLACK = 5;

export class Dragging {
  /** @type {string | null} */
  pressed = null;
  justDropped = false;
  /** @type {{x: number, y: number, pointer: number, turning: boolean, from: HTMLElement | null} | null} */
  #start = null;
  /** @type {HTMLElement | null} */
  #ghost = null;
  /** @type {{slot: HTMLElement, place: number, other: string | null} | null} */
  #target = null;

  /** @param {import("./karyogram.js").Karyogram} karyogram @param {import("./cell.js").OpenCell} cell */
  constructor(karyogram, cell) {
    this.karyogram = karyogram;
    this.cell = cell;
    karyogram.sheet.addEventListener("pointerdown", (event) => {
      const button = event.target instanceof Element ? event.target.closest("[data-id]") : null;
      if (button) this.press(/** @type {string} */ (button.getAttribute("data-id")), event, event.target === karyogram.handle);
    });
  }

  /** A button went down on a chromosome, here or in the metaphase. */
  press(/** @type {string} */ id, /** @type {PointerEvent} */ event, turning = false) {
    this.justDropped = false;
    if (event.button !== 0 || !this.cell.editable) return;
    this.pressed = id;
    this.#start = { x: event.clientX, y: event.clientY, pointer: event.pointerId, turning, from: this.karyogram.button(id) ?? null };
    const ended = new AbortController();
    const stop = () => {
      ended.abort();
      this.#stop();
    };
    const { signal } = ended;
    window.addEventListener("pointermove", (moved) => this.#move(moved), { signal });
    window.addEventListener("pointerup", (up) => { this.#drop(up); stop(); }, { signal });
    window.addEventListener("pointercancel", stop, { signal });
    window.addEventListener("keydown", (key) => {
      if (key.key !== "Escape") return;
      key.stopPropagation();
      stop();
    }, { signal, capture: true });
    event.preventDefault();
    if (turning) event.stopPropagation();
    else this.karyogram.button(id)?.focus({ preventScroll: true });
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const start = this.#start;
    if (!start || this.pressed === null) return;
    const far = Math.hypot(event.clientX - start.x, event.clientY - start.y) > SLACK;
    if (start.turning) return this.#turn(event);
    if (!this.#ghost && !far) return;
    if (!this.#ghost) this.#lift();
    Object.assign(/** @type {HTMLElement} */ (this.#ghost).style, { left: `${event.clientX}px`, top: `${event.clientY}px` });
    this.#aim(event);
  }

  #lift() {
    const one = this.cell.shown.get(this.pressed ?? "");
    const picture = html("img", { alt: "", src: one?.sprite ?? "" });
    const scale = this.karyogram.layout?.scale ?? 1;
    Object.assign(picture.style, { width: `${(one?.sprite_width ?? 0) * scale}px`, height: `${(one?.sprite_height ?? 0) * scale}px` });
    this.#ghost = html("div", { class: "ghost" }, picture);
    document.body.append(this.#ghost);
    this.#start?.from?.setAttribute("data-lifted", "");
  }

  /** @param {PointerEvent} event */
  #aim(event) {
    this.#unmark();
    const under = document.elementsFromPoint(event.clientX, event.clientY);
    const slot = /** @type {HTMLElement | undefined} */ (under.find((one) => one.classList.contains("slot")));
    this.#target = null;
    if (!slot) return;
    const others = [.../** @type {NodeListOf<HTMLElement>} */ (slot.querySelectorAll("[data-id]"))].filter((one) => one.dataset.id !== this.pressed);
    const swapped = event.altKey ? others.find((one) => under.includes(one)) : undefined;
    const after = others.find((one) => {
      const box = one.getBoundingClientRect();
      return box.left + box.width / 2 > event.clientX;
    });
    this.#target = { slot, place: this.#placeBefore(slot.dataset.label ?? "", after?.dataset.id), other: swapped?.dataset.id ?? null };
    (swapped ?? slot).setAttribute("data-aimed", "");
  }

  /** The place that puts the dragged one before another, or last. */
  #placeBefore(/** @type {string} */ slot, /** @type {string | undefined} */ next) {
    const mates = [...this.cell.shown.values()].filter((one) => one.id !== this.pressed && homeOf(one.label) === homeOf(slot));
    mates.sort((one, other) => one.place - other.place);
    const at = mates.findIndex((one) => one.id === next);
    return at < 0 ? mates.length : at;
  }

  /** @param {PointerEvent} event */
  #drop(event) {
    const [id, start] = [this.pressed, this.#start];
    if (id === null || !start) return;
    if (start.turning) {
      const degrees = this.#angle(event);
      if (Math.abs(degrees) >= 1) this.cell.turn(id, Math.round(degrees));
      this.justDropped = true;
    } else if (this.#ghost) {
      this.justDropped = true;
      if (this.#target) this.#reassign(id, this.#target);
      this.cell.select(id);
    }
  }

  #reassign(/** @type {string} */ id, /** @type {{slot: HTMLElement, place: number, other: string | null}} */ { slot, place, other }) {
    const one = this.cell.shown.get(id);
    const label = slot.dataset.label ?? "";
    if (!one || !(CLASSES.includes(label) || label === MARKER || label === UNSURE)) return;
    if (other !== null) this.cell.do({ kind: "swap", object: id, other });
    // Within its slot a derivative keeps its name.
    else if (slotOf(one.label) !== label) this.cell.do({ kind: "reassign", object: id, label, place });
    else if (one.place !== place) this.cell.do({ kind: "reassign", object: id, label: one.label, place });
  }

  /** @param {PointerEvent} event */
  #turn(event) {
    const picture = this.#start?.from?.querySelector("img");
    if (picture) picture.style.rotate = `${-this.#angle(event)}deg`;
  }

  /** Degrees counter-clockwise from the press to here, seen from the chromosome's middle. */
  #angle(/** @type {PointerEvent} */ event) {
    const [start, box] = [this.#start, this.#start?.from?.querySelector("img")?.getBoundingClientRect()];
    if (!start || !box) return 0;
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const turn = Math.atan2(start.y - y, start.x - x) - Math.atan2(event.clientY - y, event.clientX - x);
    return ((turn * 180) / Math.PI + 540) % 360 - 180;
  }

  #unmark() {
    for (const one of document.querySelectorAll("[data-aimed]")) one.removeAttribute("data-aimed");
  }

  #stop() {
    this.#unmark();
    this.#ghost?.remove();
    this.#start?.from?.removeAttribute("data-lifted");
    const picture = this.#start?.from?.querySelector("img");
    if (picture) picture.style.rotate = "";
    [this.#ghost, this.#target, this.#start, this.pressed] = [null, null, null, null];
  }
}
