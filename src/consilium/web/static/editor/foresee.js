/**
 * How a cell will look once the commands that wait are stored.
 *
 * What can be foreseen is drawn at once and marked as waiting. What only the server can work out (new outlines, undo) is not
 * guessed at: its chromosomes are marked, and stay as they are until the answer comes.
 */

import { homeOf } from "./layout.js";

/** @typedef {import("./contract.js").CellObject} CellObject */
/** @typedef {import("./contract.js").Command} Command */

/**
 * A chromosome as it is shown.
 * @typedef {CellObject & {waits: boolean, turned: number, turnedRound: boolean}} Shown
 *   done to the sprite here: `turned` by degrees counter-clockwise, `turnedRound` as in a mirror
 */

/**
 * @param {Iterable<CellObject>} objects  as the server has them
 * @param {Command[]} commands  not stored yet, in their order
 * @returns {Map<string, Shown>}
 */
export function foresee(objects, commands) {
  /** @type {Map<string, Shown>} */
  const shown = new Map();
  for (const one of objects) {
    shown.set(one.id, { ...one, waits: false, turned: 0, turnedRound: false });
  }
  for (const command of commands) {
    for (const id of touched(command)) {
      const one = shown.get(id);
      if (one) one.waits = true;
    }
    CHANGES[command.kind]?.(shown, command);
  }
  return shown;
}

/** @param {Command} command @returns {string[]} the chromosomes that a command is about */
export function touched(command) {
  return [command.object, command.other, ...(command.objects ?? [])].filter((id) => typeof id === "string");
}

/** @type {Record<string, (shown: Map<string, Shown>, command: Command) => void>} */
const CHANGES = {
  reassign(shown, { object, label, place }) {
    const one = shown.get(object);
    if (!one) return;
    settle(shown, one, label, place);
    called(one);
  },
  swap(shown, { object, other }) {
    const [one, two] = [shown.get(object), shown.get(other)];
    if (!one || !two) return;
    const renamed = one.label !== two.label;
    [one.label, two.label] = [two.label, one.label];
    [one.place, two.place] = [two.place, one.place];
    if (renamed) [one, two].forEach(called);
  },
  flip(shown, { object, axis }) {
    const one = shown.get(object);
    if (!one) return;
    if (axis === "vertical") Object.assign(one, { upside_down: !one.upside_down, turned: one.turned + 180 });
    else Object.assign(one, { mirrored: !one.mirrored, turnedRound: !one.turnedRound });
  },
  rotate(shown, { object, degrees }) {
    const one = shown.get(object);
    if (one && !one.straight) one.turned += degrees;
  },
  straighten(shown, { object, on }) {
    const one = shown.get(object);
    if (one) one.straight = on;
  },
  confirm(shown, { objects }) {
    for (const id of objects) {
      const one = shown.get(id);
      if (one) Object.assign(one, { confirmed: true, doubtful: false });
    }
  },
  remove(shown, { object }) {
    shown.delete(object);
  },
};

/** A person who names a chromosome has looked at it, unless she is unsure. */
function called(/** @type {Shown} */ one) {
  const sure = one.label !== "unsure";
  Object.assign(one, { confirmed: sure, doubtful: !sure });
}

/** Put one beside the others of a class, before whatever stands at its place. */
function settle(/** @type {Map<string, Shown>} */ shown, /** @type {Shown} */ one, /** @type {string} */ label, /** @type {number | undefined} */ place) {
  const others = [...shown.values()].filter((each) => each !== one && homeOf(each.label) === homeOf(label));
  others.sort((first, second) => first.place - second.place);
  const at = Math.min(place ?? others.length, others.length);
  others.splice(at, 0, one);
  one.label = label;
  others.forEach((each, index) => {
    each.place = index;
  });
}
