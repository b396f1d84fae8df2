/** The chosen chromosome beside its homologues and the ideogram: what it is, how sure, and why somebody should look. */

import { html, mark } from "./dom.js";
import { ideogram } from "./ideogram.js";
import { percent, turning } from "./karyogram.js";
import { CLASSES, slotOf } from "./layout.js";
import { fieldName, say } from "./words.js";

/** @typedef {import("./foresee.js").Shown} Shown */

const LEVELS = ["400", "550", "850"];
/** Enlargement of sprites, in font sizes a pixel, beyond which nothing new is seen. */
const MOST = 0.31;

export class Inspector {
  /** @type {Object<string, Object<string, import("./contract.js").Band[]>>} */
  bands = {};
  level;

  /**
   * @param {HTMLElement} room
   * @param {import("./cell.js").OpenCell} cell
   * @param {(label: string) => void} assign
   */
  constructor(room, cell, assign) {
    this.room = room;
    this.cell = cell;
    this.assign = assign;
    const known = cell.stored.band_level;
    this.level = LEVELS.reduce((best, one) => (Math.abs(Number(one) - known) < Math.abs(Number(best) - known) ? one : best));
    this.head = html("div", { class: "inspector-head" });
    this.stage = html("div", { class: "stage" });
    this.tell = html("div", { class: "told" });
    this.levels = /** @type {HTMLSelectElement} */ (
      html("select", { onchange: () => this.#chose() }, ...LEVELS.map((one) => html("option", { value: one, selected: one === this.level }, one)))
    );
    const level = html("label", { class: "level" }, say("band_level"), " ", this.levels, " bphs");
    room.append(this.head, this.stage, level, this.tell);
    cell.addEventListener("objects", () => this.draw());
    cell.addEventListener("selection", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.stage);
    this.draw();
  }

  /** The bands arrived. */
  learn(/** @type {Inspector["bands"]} */ bands) {
    this.bands = bands;
    this.draw();
  }

  nextLevel() {
    this.level = LEVELS[(LEVELS.indexOf(this.level) + 1) % LEVELS.length];
    this.levels.value = this.level;
    this.draw();
  }

  draw() {
    const one = this.cell.chosen;
    if (!one) {
      this.head.replaceChildren(html("p", { class: "soft" }, say("nothing_chosen")));
      this.stage.replaceChildren();
      this.tell.replaceChildren(...this.#aboutCell());
      return;
    }
    this.#drawHead(one);
    this.#drawStage(one);
    this.#drawTold(one);
  }

  #chose() {
    this.level = this.levels.value;
    this.draw();
  }

  #drawHead(/** @type {Shown} */ one) {
    const state = one.confirmed ? "confirmed" : one.doubtful ? "doubtful" : "machine";
    this.head.replaceChildren(
      html("h2", {}, fieldName(one.label)),
      html("span", { class: `state ${state}` }, one.confirmed ? say("state_confirmed") : read(one) ? say("in_this_cell", { percent: percent(one.confidence) }) : say("state_unread")),
    );
  }

  #drawStage(/** @type {Shown} */ one) {
    const label = slotOf(one.label);
    const mates = [...this.cell.shown.values()].filter((each) => slotOf(each.label) === label);
    mates.sort((first, second) => first.place - second.place);
    const bands = this.bands[this.level]?.[label];
    const room = { width: this.stage.clientWidth, height: this.stage.clientHeight };
    const font = parseFloat(getComputedStyle(this.stage).fontSize);
    const drawing = bands ? 4.8 * font : 0;
    const shown = CLASSES.includes(label) ? mates.slice(0, 5) : [one];
    const tallest = Math.max(1, ...shown.map((each) => each.sprite_height));
    const wide = shown.reduce((total, each) => total + each.sprite_width, 0);
    const gap = 0.7 * font;
    const scale = Math.min(MOST * font, (room.height - 2 * gap) / tallest, Math.max(0.2, (room.width - drawing - gap * (shown.length + 1)) / wide));
    const figures = shown.map((each) => this.#figure(each, scale, each.id === one.id));
    const height = Math.max(40, one.sprite_height * scale);
    const beside = bands && ideogram(bands, { height, width: 1.3 * font, font: 0.85 * font, label: say("ideogram", { label, level: this.level }) });
    this.stage.replaceChildren(...figures, ...(beside ? [beside] : []));
  }

  #figure(/** @type {Shown} */ one, /** @type {number} */ scale, /** @type {boolean} */ chosen) {
    const picture = html("img", { alt: fieldName(one.label), src: one.sprite, draggable: "false" });
    Object.assign(picture.style, { width: `${one.sprite_width * scale}px`, height: `${one.sprite_height * scale}px`, transform: turning(one) });
    const figure = html("figure", { class: "enlarged", onclick: () => this.cell.select(one.id) }, picture);
    mark(figure, "data-chosen", chosen);
    return figure;
  }

  #drawTold(/** @type {Shown} */ one) {
    const choices = Object.entries(one.probabilities).sort((first, second) => second[1] - first[1]).slice(0, 4);
    const list = html("ul", { class: "choices", "aria-label": say("alternatives") });
    for (const [label, probability] of choices) {
      if (probability < 0.001 && list.childElementCount) continue;
      const bar = html("span", { class: "bar-fill" });
      bar.style.width = `${Math.round(probability * 100)}%`;
      const button = html("button", { type: "button", class: "choice", onclick: () => this.assign(label), disabled: !this.cell.editable, "aria-label": say("assign_to", { name: fieldName(label), percent: percent(probability) }) },
        html("span", { class: "choice-label" }, label), html("span", { class: "bar-room" }, bar), html("span", { class: "choice-value" }, percent(probability)));
      mark(button, "aria-pressed", one.label === label ? "true" : "false");
      list.append(html("li", {}, button));
    }
    const flags = html("ul", { class: "flags" }, ...one.flags.map((flag) => html("li", {}, flag.reason)));
    const looks = html("h3", { class: "looks" }, say("alternatives"));
    this.tell.replaceChildren(...(choices.length ? [looks, list] : []), ...(one.flags.length && !one.confirmed ? [html("h3", {}, say("why_look")), flags] : []), ...noteOf(one), ...this.#aboutCell());
  }

  /** What is doubtful about the whole cell, and what people wrote down about it. */
  #aboutCell() {
    const { flags = [], notes = [], unfinished = [] } = this.cell.stored;
    const lines = [...flags.map((flag) => flag.reason), ...unfinished.map((name) => say("unfinished", { name }))];
    if (!lines.length && !notes.length) return [];
    const told = html("ul", { class: "flags" }, ...lines.map((line) => html("li", {}, line)), ...notes.map((note) => html("li", { class: "written" }, note)));
    return [html("h3", {}, say("about_cell")), told];
  }
}

/** Whether the machine saw it in this shape; what was cut or drawn since has no likelihoods. */
function read(/** @type {Shown} */ one) {
  return Object.keys(one.probabilities).length > 0;
}

/** @param {Shown} one */
function noteOf(one) {
  return one.note ? [html("ul", { class: "flags" }, html("li", { class: "written" }, one.note))] : [];
}
