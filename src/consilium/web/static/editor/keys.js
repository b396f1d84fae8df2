/** Which key does what. The help and the handbook show this very table. */

import { say } from "./words.js";

/**
 * @typedef {object} Key
 * @property {string} keys  as they are written: "Shift+F"; several by a space
 * @property {string} act  of `actions.js`
 * @property {string} part  of the help
 */

/** @type {Key[]} */
export const KEYS = [
  { keys: "N Tab", act: "next_doubtful", part: "look" },
  { keys: "P Shift+N", act: "previous_doubtful", part: "look" },
  { keys: "Enter Space", act: "confirm", part: "look" },
  { keys: "ArrowLeft ArrowRight ArrowUp ArrowDown", act: "walk", part: "look" },
  { keys: "G", act: "compare", part: "look" },
  { keys: "0…9", act: "assign_number", part: "name" },
  { keys: "X", act: "assign_X", part: "name" },
  { keys: "Y", act: "assign_Y", part: "name" },
  { keys: "U", act: "assign_unsure", part: "name" },
  { keys: "M", act: "assign_marker", part: "name" },
  { keys: "D", act: "assign_derivative", part: "name" },
  { keys: "W", act: "swap", part: "name" },
  { keys: "Alt+ArrowLeft Alt+ArrowRight", act: "shift_place", part: "name" },
  { keys: "F", act: "flip_vertical", part: "turn" },
  { keys: "Shift+F", act: "flip_horizontal", part: "turn" },
  { keys: "[", act: "rotate_left", part: "turn" },
  { keys: "]", act: "rotate_right", part: "turn" },
  { keys: "{", act: "rotate_left_fine", part: "turn" },
  { keys: "}", act: "rotate_right_fine", part: "turn" },
  { keys: "S", act: "straighten", part: "turn" },
  { keys: "C", act: "cut", part: "outline" },
  { keys: "J", act: "join", part: "outline" },
  { keys: "O", act: "separate", part: "outline" },
  { keys: "A", act: "add", part: "outline" },
  { keys: "E", act: "erase", part: "outline" },
  { keys: "R", act: "restore", part: "outline" },
  { keys: "L", act: "other_way", part: "outline" },
  { keys: "Delete Backspace", act: "remove", part: "outline" },
  { keys: "Ctrl+Z", act: "undo", part: "record" },
  { keys: "Ctrl+Shift+Z Ctrl+Y", act: "redo", part: "record" },
  { keys: "K", act: "note", part: "record" },
  { keys: "+ =", act: "zoom_in", part: "see" },
  { keys: "-", act: "zoom_out", part: "see" },
  { keys: "Home", act: "fit", part: "see" },
  { keys: "PageUp", act: "previous_cell", part: "see" },
  { keys: "PageDown", act: "next_cell", part: "see" },
  { keys: "I", act: "invert", part: "see" },
  { keys: "T", act: "names", part: "see" },
  { keys: "B", act: "band_level", part: "see" },
  { keys: "V Escape", act: "put_down", part: "see" },
  { keys: "?", act: "help", part: "see" },
];

/** Milliseconds within which a second digit belongs to the first. */
const SECOND_DIGIT = 900;

/**
 * A scanner of labels types a letter within some milliseconds, a hand does not. So many letters and digits at that pace were
 * scanned: they are no commands, as a label that is scanned while a karyogram is open must not rename chromosomes.
 */
const SCANNED = 4;
const PAUSE = 60;
const OF_LABELS = /^[a-z0-9/-]$/i;

export class Keys {
  /** @type {KeyboardEvent[]} letters that wait until it is known that nobody scans */
  #held = [];
  #pause = 0;
  #typed = "";
  #timer = 0;

  /**
   * @param {import("./actions.js").Actions} actions
   * @param {(typed: string) => void} typing  is told what is typed so far
   */
  constructor(actions, typing) {
    this.actions = actions;
    this.typing = typing;
    /** @type {Map<string, string>} */
    this.acts = new Map();
    for (const { keys, act } of KEYS) for (const key of keys.split(" ")) this.acts.set(key, act);
    document.addEventListener("keydown", (event) => this.#down(event));
  }

  /** @param {KeyboardEvent} event */
  #down(event) {
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const target = event.target instanceof Element ? event.target : document.body;
    const undoing = event.ctrlKey || event.metaKey;
    if (target.closest("textarea, select, input") || (!undoing && onControl(target, event.key))) return;
    if (OF_LABELS.test(event.key) && !undoing && !event.altKey) {
      if (!event.repeat) this.#held.push(event);
      window.clearTimeout(this.#pause);
      this.#pause = window.setTimeout(() => this.#release(), PAUSE);
      return event.preventDefault();
    }
    if (this.#release()) return event.preventDefault();
    this.#do(event);
  }

  /** Do what was held, unless it was scanned. @returns {boolean} whether it was */
  #release() {
    window.clearTimeout(this.#pause);
    const held = this.#held;
    this.#held = [];
    if (held.length >= SCANNED) return true;
    for (const one of held) this.#do(one);
    return false;
  }

  /** @param {KeyboardEvent} event */
  #do(event) {
    if (this.actions.tools.key(event)) return event.preventDefault();
    if (this.#digit(event)) return event.preventDefault();
    if (this.#typed && event.key === "Enter") {
      this.#assign();
      return event.preventDefault();
    }
    const act = this.acts.get(named(event));
    if (!act || !this.actions.fromKey(act, event)) return;
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  #digit(event) {
    if (!/^\d$/.test(event.key) || event.ctrlKey || event.altKey || event.metaKey) return false;
    window.clearTimeout(this.#timer);
    const both = this.#typed + event.key;
    const known = Number(both) >= 1 && Number(both) <= 22;
    this.#typed = known ? both : "";
    this.typing(this.#typed);
    if (!known) this.actions.warn(say("no_class", { typed: both }));
    // 3 to 9 and every second digit can only mean one class.
    if (this.#typed.length === 2 || Number(this.#typed) > 2) this.#assign();
    else if (this.#typed) this.#timer = window.setTimeout(() => this.#assign(), SECOND_DIGIT);
    return true;
  }

  #assign() {
    window.clearTimeout(this.#timer);
    const label = this.#typed;
    this.#typed = "";
    this.typing("");
    if (label) this.actions.assign(label);
  }
}

/** A key as the table writes it. */
function named(/** @type {KeyboardEvent} */ event) {
  const letter = /^[a-z]$/i.test(event.key);
  const plain = event.key === " " ? "Space" : letter ? event.key.toUpperCase() : event.key;
  const modifiers = [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.altKey ? "Alt" : "", event.shiftKey && (letter || plain.length > 1) ? "Shift" : ""];
  return [...modifiers.filter(Boolean), plain].join("+");
}

/** Keys by which a focused control is worked are its own. */
function onControl(/** @type {Element} */ target, /** @type {string} */ key) {
  const control = target.closest("button, a, summary");
  if (control) return !control.matches("[data-id]") && (key === "Enter" || key === " ");
  return false;
}
