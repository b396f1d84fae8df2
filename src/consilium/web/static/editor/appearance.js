/** Contrast, brightness and inversion of what is shown. Pixels that are kept are never changed by it. */

import { html } from "./dom.js";
import { say } from "./words.js";

const KEPT = "consilium.appearance";

export class Appearance {
  contrast = 1;
  brightness = 1;
  inverted = false;

  /** @param {HTMLElement} editor */
  constructor(editor) {
    this.editor = editor;
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
      this.contrast = within(kept.contrast, 0.5, 3);
      this.brightness = within(kept.brightness, 0.5, 1.6);
      this.inverted = kept.inverted === true;
    } catch {
      // What an older version kept is no reason to show nothing.
    }
    this.#apply();
  }

  /** @returns {HTMLElement[]} */
  controls() {
    const slider = (/** @type {"contrast" | "brightness"} */ which, /** @type {number} */ low, /** @type {number} */ high) => {
      const input = html("input", { type: "range", min: low, max: high, step: 0.05, value: this[which], "aria-label": say(which), title: say(which) });
      input.addEventListener("input", () => this.set({ [which]: Number(/** @type {HTMLInputElement} */ (input).value) }));
      this.editor.addEventListener("appearance", () => { /** @type {HTMLInputElement} */ (input).value = String(this[which]); });
      return html("label", { class: "slider" }, html("span", { "aria-hidden": "true" }, which === "contrast" ? "◐" : "☀"), input);
    };
    return [slider("contrast", 0.5, 3), slider("brightness", 0.5, 1.6)];
  }

  invert() {
    this.set({ inverted: !this.inverted });
  }

  reset() {
    this.set({ contrast: 1, brightness: 1, inverted: false });
  }

  /** @param {Partial<{contrast: number, brightness: number, inverted: boolean}>} values */
  set(values) {
    Object.assign(this, values);
    const { contrast, brightness, inverted } = this;
    localStorage.setItem(KEPT, JSON.stringify({ contrast, brightness, inverted }));
    this.#apply();
  }

  #apply() {
    const plain = this.contrast === 1 && this.brightness === 1 && !this.inverted;
    const filter = `${this.inverted ? "invert(1) " : ""}contrast(${this.contrast}) brightness(${this.brightness})`;
    this.editor.style.setProperty("--shown-as", plain ? "none" : filter);
    this.editor.toggleAttribute("data-inverted", this.inverted);
    this.editor.dispatchEvent(new Event("appearance"));
  }
}

function within(/** @type {*} */ value, /** @type {number} */ low, /** @type {number} */ high) {
  return typeof value === "number" && value >= low && value <= high ? value : 1;
}
