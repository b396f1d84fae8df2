/** The toolbar: one button an act, its key beside it. Arrow keys walk through it; it is one stop of the Tab key. */

import { html, mark } from "./dom.js";
import { KEYS } from "./keys.js";
import { say } from "./words.js";

/** @type {string[][]} */
const PARTS = [
  ["next_doubtful", "confirm"],
  ["undo", "redo"],
  ["cut", "join", "separate", "add", "erase", "restore", "other_way", "remove"],
  ["swap", "flip_vertical", "flip_horizontal", "rotate_left", "rotate_right", "straighten"],
  ["assign_marker", "assign_derivative", "compare", "note"],
];
const VIEW = ["zoom_out", "fit", "zoom_in", "names", "invert", "plain"];
const TOOLS = new Set(["cut", "separate", "add", "erase", "restore"]);
/** What reads and changes nothing, so that a signed case allows it. */
const READING = new Set(["next_doubtful", "compare", ...VIEW, "help"]);

export class Toolbar {
  /** @type {Map<string, HTMLButtonElement>} */
  buttons = new Map();

  /**
   * @param {HTMLElement} room
   * @param {HTMLElement} viewRoom  that of the metaphase's own buttons
   * @param {import("./actions.js").Actions} actions
   * @param {import("./appearance.js").Appearance} appearance
   */
  constructor(room, viewRoom, actions, appearance) {
    this.actions = actions;
    for (const part of PARTS) room.append(html("div", { class: "part" }, ...part.map((act) => this.#button(act))));
    room.append(html("div", { class: "part end" }, this.#button("help")));
    viewRoom.append(...VIEW.map((act) => this.#button(act)), ...appearance.controls());
    for (const bar of [room, viewRoom]) this.#roving(bar);
    actions.tools.addEventListener("change", () => this.draw());
    actions.cell.addEventListener("objects", () => this.draw());
    this.draw();
  }

  draw() {
    const { cell, tools } = this.actions;
    const waits = cell.outbox.waiting.length > 0;
    for (const [act, button] of this.buttons) {
      if (TOOLS.has(act)) mark(button, "aria-pressed", tools.inHand === act ? "true" : "false");
      const idle = (act === "undo" && !cell.stored.can_undo && !waits) || (act === "redo" && !cell.stored.can_redo && !waits);
      // A button that is out of use keeps the keyboard's focus, which `disabled` would drop.
      mark(button, "aria-disabled", idle || (!cell.editable && !READING.has(act)) ? "true" : null);
    }
    const way = this.buttons.get("other_way")?.querySelector(".word");
    if (way) way.textContent = say(tools.way === "brush" ? "tool_other_way" : "tool_other_way_lasso");
  }

  /** @param {string} act */
  #button(act) {
    const key = KEYS.find((one) => one.act === act)?.keys.split(" ")[0] ?? "";
    const button = /** @type {HTMLButtonElement} */ (
      html("button", { type: "button", class: "tool", "data-act": act, title: key ? `${say(`do_${act}`)} (${key})` : say(`do_${act}`), "aria-keyshortcuts": key.length > 1 && !key.includes("+") ? null : shortcut(key) },
        html("span", { class: "word" }, say(`tool_${act}`)), key && key !== "?" && key.length < 9 && !VIEW.includes(act) ? html("kbd", { "aria-hidden": "true" }, key.replace("Ctrl+Shift+Z", "⇧^Z").replace("Ctrl+", "^").replace("Shift+", "⇧").replace("Delete", "Del").replace("Enter", "↵")) : null)
    );
    if (/^[+−?]$/.test(say(`tool_${act}`))) button.setAttribute("aria-label", say(`do_${act}`));
    button.addEventListener("click", () => button.getAttribute("aria-disabled") !== "true" && this.actions.do(act));
    this.buttons.set(act, button);
    return button;
  }

  /** @param {HTMLElement} bar */
  #roving(bar) {
    const all = () => /** @type {HTMLElement[]} */ ([...bar.querySelectorAll("button.tool")]);
    all().forEach((button, index) => { button.tabIndex = index ? -1 : 0; });
    bar.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const at = all().indexOf(/** @type {HTMLElement} */ (document.activeElement));
      if (!step || at < 0) return;
      const next = all()[(at + step + all().length) % all().length];
      all().forEach((button) => { button.tabIndex = button === next ? 0 : -1; });
      next.focus();
      event.preventDefault();
      event.stopPropagation();
    });
  }
}

function shortcut(/** @type {string} */ key) {
  return key.replace("Ctrl", "Control") || null;
}
