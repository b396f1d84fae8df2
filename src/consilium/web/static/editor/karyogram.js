/** The karyogram: a button a chromosome, placed by `layout.js`, in slots that chromosomes can be dropped on. */

import { Dragging } from "./dragging.js";
import { html, mark } from "./dom.js";
import { CLASSES, layOut, slotOf } from "./layout.js";
import { fieldName, say } from "./words.js";

/** @typedef {import("./cell.js").OpenCell} OpenCell */
/** @typedef {import("./foresee.js").Shown} Shown */
/** @typedef {import("./layout.js").Slot} Slot */

export class Karyogram {
  /** @type {Map<string, HTMLElement>} */
  #buttons = new Map();
  /** @type {Map<string, HTMLElement>} */
  #slots = new Map();
  /** @type {import("./layout.js").Layout | null} */
  layout = null;

  /** @param {HTMLElement} room  scrolls where there is too much @param {OpenCell} cell */
  constructor(room, cell) {
    this.room = room;
    this.cell = cell;
    this.sheet = html("div", { class: "sheet", role: "group", "aria-label": say("karyogram") });
    this.handle = html("div", { class: "turn-handle", "aria-hidden": "true", hidden: true });
    room.append(this.sheet);
    this.dragging = new Dragging(this, cell);
    new ResizeObserver(() => this.draw()).observe(room);
    cell.addEventListener("objects", () => this.draw());
    cell.addEventListener("selection", () => this.#look());
    cell.addEventListener("hover", () => this.#look());
    this.sheet.addEventListener("click", (event) => this.#click(event));
    this.sheet.addEventListener("pointerover", (event) => cell.hover(idAt(event.target)));
    this.sheet.addEventListener("pointerleave", () => cell.hover(null));
    this.sheet.addEventListener("focusin", (event) => this.#focused(idAt(event.target)));
    this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.room;
    if (!width) return;
    const font = parseFloat(getComputedStyle(this.room).fontSize);
    const focused = idAt(document.activeElement);
    this.layout = layOut(this.cell.shown.values(), { width, height: height - 2, font });
    this.sheet.style.height = `${this.layout.height}px`;
    const seen = new Set();
    for (const slot of this.layout.slots) this.#drawSlot(slot, seen);
    for (const [id, button] of this.#buttons) {
      if (!seen.has(id)) {
        button.remove();
        this.#buttons.delete(id);
      }
    }
    this.#drawGroups();
    this.#look();
    if (focused && this.#buttons.has(focused) && document.activeElement !== this.#buttons.get(focused)) this.focus(focused);
  }

  /** Put the keyboard's focus on a chromosome. */
  focus(/** @type {string} */ id) {
    const button = this.#buttons.get(id);
    button?.focus({ preventScroll: true });
    button?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** @returns {HTMLElement | undefined} */
  button(/** @type {string} */ id) {
    return this.#buttons.get(id);
  }

  /** The nearest chromosome in a direction, for the arrow keys. */
  neighbour(/** @type {string} */ id, /** @type {number} */ dx, /** @type {number} */ dy) {
    const from = middle(this.#buttons.get(id));
    if (!from) return null;
    let [best, found] = [Infinity, /** @type {string | null} */ (null)];
    for (const [other, button] of this.#buttons) {
      const to = middle(button);
      if (!to || other === id) continue;
      const along = (to.x - from.x) * dx + (to.axis - from.axis) * dy;
      const across = Math.abs((to.x - from.x) * dy) + Math.abs((to.axis - from.axis) * dx);
      const cost = along + 3 * across;
      if (along > 1 && (dx === 0 || across < from.height / 2) && cost < best) [best, found] = [cost, other];
    }
    return found;
  }

  /** @param {Slot} slot @param {Set<string>} seen */
  #drawSlot(slot, seen) {
    let box = this.#slots.get(slot.label);
    if (!box) {
      box = html("div", { class: "slot", role: "group", "data-label": slot.label });
      box.append(html("span", { class: "slot-label", "aria-hidden": "true" }, CLASSES.includes(slot.label) ? slot.label : say(slot.label)));
      this.#slots.set(slot.label, box);
      this.sheet.append(box);
    }
    const copies = slot.places.filter((one) => one.id !== null).length;
    mark(box, "aria-label", say("slot", { name: fieldName(slot.label), count: copies }));
    place(box, slot);
    for (const old of box.querySelectorAll(".empty, .axis")) old.remove();
    const axis = html("div", { class: "axis", "aria-hidden": "true" });
    axis.style.top = `${slot.axis}px`;
    box.prepend(axis);
    for (const standing of slot.places) {
      const one = standing.id === null ? null : this.cell.shown.get(standing.id);
      if (!one) {
        const empty = html("div", { class: "empty", "aria-hidden": "true" });
        place(empty, standing);
        box.insertBefore(empty, box.querySelector(".slot-label"));
        continue;
      }
      seen.add(one.id);
      const button = this.#buttons.get(one.id) ?? this.#made(one.id);
      if (button.parentElement !== box) box.insertBefore(button, box.querySelector(".slot-label"));
      place(button, standing);
      show(button, one, this.layout?.scale ?? 1);
    }
    const inOrder = slot.places.flatMap((one) => (one.id === null ? [] : [this.#buttons.get(one.id)]));
    inOrder.forEach((button, index) => {
      const next = inOrder[index + 1];
      if (button && next && button.compareDocumentPosition(next) & Node.DOCUMENT_POSITION_PRECEDING) box.insertBefore(button, next);
    });
  }

  /** @param {string} id */
  #made(id) {
    const picture = html("img", { alt: "", draggable: "false" });
    const button = html(
      "button",
      { type: "button", class: "chromosome", "data-id": id, tabindex: "-1" },
      picture,
      html("span", { class: "name", "aria-hidden": "true" }),
      html("span", { class: "marks", "aria-hidden": "true" }),
    );
    this.#buttons.set(id, button);
    return button;
  }

  #drawGroups() {
    for (const old of this.sheet.querySelectorAll(".bracket")) old.remove();
    for (const group of this.layout?.groups ?? []) {
      const bracket = html("div", { class: "bracket", "aria-hidden": "true" }, html("span", {}, group.text));
      place(bracket, { x: group.left, y: group.y, width: group.right - group.left, height: 0 });
      this.sheet.append(bracket);
    }
  }

  /** Selection, hovering and which one the Tab key reaches. */
  #look() {
    const chosen = this.cell.selection.at(-1) ?? null;
    const reached = chosen && this.#buttons.has(chosen) ? chosen : (this.cell.doubtful[0] ?? this.#buttons.keys().next().value);
    for (const [id, button] of this.#buttons) {
      mark(button, "aria-pressed", this.cell.selection.includes(id) ? "true" : "false");
      mark(button, "data-chosen", id === chosen);
      mark(button, "data-hovered", id === this.cell.hovered);
      button.tabIndex = id === reached ? 0 : -1;
    }
    this.#drawHandle(chosen);
  }

  #drawHandle(/** @type {string | null} */ chosen) {
    const button = chosen === null ? null : this.#buttons.get(chosen);
    this.handle.hidden = !button || !this.cell.editable;
    if (button && this.handle.parentElement !== button) button.append(this.handle);
  }

  /** @param {Event} event */
  #click(event) {
    const id = idAt(event.target);
    const { shiftKey, ctrlKey, metaKey } = /** @type {MouseEvent} */ (event);
    if (this.dragging.justDropped) return;
    this.cell.select(id, { extend: id !== null && (shiftKey || ctrlKey || metaKey) });
  }

  /** @param {string | null} id */
  #focused(id) {
    if (id !== null && !this.cell.selection.includes(id) && !this.dragging.pressed) this.cell.select(id);
  }
}

/** @param {EventTarget | null} target @returns {string | null} */
export function idAt(target) {
  return (target instanceof Element && target.closest("[data-id]")?.getAttribute("data-id")) || null;
}

/** @param {HTMLElement} one @param {{x: number, y: number, width: number, height: number}} where */
function place(one, where) {
  Object.assign(one.style, { left: `${where.x}px`, top: `${where.y}px`, width: `${where.width}px`, height: `${where.height}px` });
}

/** @param {HTMLElement | undefined} button */
function middle(button) {
  const slot = button?.parentElement;
  if (!button || !slot) return null;
  const box = button.getBoundingClientRect();
  const axis = slot.getBoundingClientRect().top + parseFloat(/** @type {HTMLElement} */ (slot.querySelector(".axis")).style.top);
  return { x: box.left + box.width / 2, axis, height: slot.clientHeight };
}

/** @param {HTMLElement} button @param {Shown} one @param {number} scale */
function show(button, one, scale) {
  const picture = /** @type {HTMLImageElement} */ (button.querySelector("img"));
  if (picture.getAttribute("src") !== one.sprite) picture.src = one.sprite;
  picture.style.width = `${one.sprite_width * scale}px`;
  picture.style.height = `${one.sprite_height * scale}px`;
  picture.style.transform = turning(one);
  mark(button, "data-doubtful", one.doubtful && !one.confirmed);
  mark(button, "data-confirmed", one.confirmed);
  mark(button, "data-waits", one.waits);
  mark(button, "aria-label", described(one));
  const name = /** @type {HTMLElement} */ (button.querySelector(".name"));
  name.textContent = CLASSES.includes(one.label) || slotOf(one.label) === one.label ? "" : one.label;
}

/** In a mirror, left turns are right turns. */
export function handed(/** @type {Shown} */ one) {
  return one.mirrored ? -1 : 1;
}

/** @param {Shown} one */
export function turning(one) {
  const parts = [];
  // The server turns first and mirrors then; here the mirror image is what is turned.
  if (one.turned) parts.push(`rotate(${handed(one) * -one.turned}deg)`);
  if (one.turnedRound) parts.push("scaleX(-1)");
  return parts.join(" ");
}

/** What a screen reader says of a chromosome. @param {Shown} one */
export function described(one) {
  const parts = [fieldName(one.label)];
  if (one.confirmed) parts.push(say("is_confirmed"));
  else parts.push(say("is_confident", { percent: percent(one.confidence) }));
  if (one.doubtful && !one.confirmed) parts.push(say("is_doubtful", { reasons: one.flags.map((flag) => flag.reason).join("; ") }));
  if (one.waits) parts.push(say("is_waiting"));
  return parts.join(", ");
}

/** Probabilities near 1 are not rounded up to certainty. */
export function percent(/** @type {number} */ fraction) {
  return fraction >= 0.9995 ? "> 99.9 %" : fraction >= 0.995 ? `${(fraction * 100).toFixed(1)} %` : fraction < 0.005 ? "< 1 %" : `${Math.round(fraction * 100)} %`;
}
