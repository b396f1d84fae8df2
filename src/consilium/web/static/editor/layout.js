/**
 * Where everything stands in a karyogram: groups A to G, sex chromosomes, then markers and unsure ones apart; centromeres of
 * a row on one line. Pure: no page is touched.
 */

/** @typedef {import("./foresee.js").Shown} Shown */

export const AUTOSOMES = Array.from({ length: 22 }, (_, index) => String(index + 1));
export const CLASSES = [...AUTOSOMES, "X", "Y"];
export const MARKER = "mar";
export const UNSURE = "unsure";

/** @type {[string, string[]][]} */
const GROUPS = [
  ["A", ["1", "2", "3"]],
  ["B", ["4", "5"]],
  ["C", ["6", "7", "8", "9", "10", "11", "12"]],
  ["D", ["13", "14", "15"]],
  ["E", ["16", "17", "18"]],
  ["F", ["19", "20"]],
  ["G", ["21", "22"]],
  ["sex", ["X", "Y"]],
  ["apart", [MARKER, UNSURE]],
];

const ROWS = [["A", "B"], ["C"], ["D", "E"], ["F", "G", "sex", "apart"]];
/** From so many markers and unsure ones on they get a row of their own. */
const MANY_APART = 5;

const REARRANGED = /^[a-z]+\((\d{1,2}|[XY])[;)]/;

/** The slot in which a label stands: its class, or that of the first chromosome a rearranged one is named after. */
export function slotOf(/** @type {string} */ label) {
  if (CLASSES.includes(label) || label === UNSURE) return label;
  const named = REARRANGED.exec(label)?.[1];
  return named && CLASSES.includes(named) ? named : MARKER;
}

/** Where places are counted: a class with its derivatives, or all that belong to no class. */
export function homeOf(/** @type {string} */ label) {
  const slot = slotOf(label);
  return CLASSES.includes(slot) ? slot : "others";
}

/** @typedef {{margin: number, partner: number, pair: number, group: number, label: number, bracket: number, row: number,
 *   least: number, scale: [number, number]}} Spacing */

/** Gaps in CSS pixels at a root font of 13 px; a larger font stretches them alike. @returns {Spacing} */
export function spacing(font = 13) {
  const k = font / 13;
  return {
    margin: 14 * k, partner: 5 * k, pair: 14 * k, group: 26 * k, label: 20 * k, bracket: 14 * k, row: 10 * k,
    least: 20 * k, scale: [0.25, 5],
  };
}

/**
 * @typedef {object} Standing
 * @property {string | null} id  null for an empty place
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 */

/**
 * @typedef {object} Slot
 * @property {string} label
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 * @property {number} axis  where the centromeres lie
 * @property {Standing[]} places
 */

/**
 * @typedef {object} Layout
 * @property {number} scale  CSS pixels a pixel of the sprites
 * @property {number} height
 * @property {Slot[]} slots
 * @property {{text: string, left: number, right: number, y: number}[]} groups
 */

/**
 * @param {Iterable<Shown>} objects
 * @param {{width: number, height: number, font?: number}} room  CSS pixels
 * @returns {Layout}
 */
export function layOut(objects, room) {
  const gaps = spacing(room.font);
  const members = bySlot(objects);
  const rows = rowsOf(members);
  const usual = usualSprites(members);
  let [low, high] = gaps.scale;
  for (let turn = 0; turn < 18; turn += 1) {
    const middle = (low + high) / 2;
    const tried = standing(rows, members, usual, middle, room.width, gaps);
    if (tried.wide <= room.width && tried.layout.height <= room.height) low = middle;
    else high = middle;
  }
  return standing(rows, members, usual, low, room.width, gaps).layout;
}

/** @param {Iterable<Shown>} objects @returns {Map<string, Shown[]>} */
export function bySlot(objects) {
  /** @type {Map<string, Shown[]>} */
  const members = new Map();
  for (const one of objects) {
    const slot = slotOf(one.label);
    const there = members.get(slot) ?? [];
    there.push(one);
    members.set(slot, there);
  }
  for (const there of members.values()) there.sort((one, other) => one.place - other.place);
  return members;
}

/** @param {Map<string, Shown[]>} members @returns {[string, string[]][][]} */
function rowsOf(members) {
  const apart = (members.get(MARKER)?.length ?? 0) + (members.get(UNSURE)?.length ?? 0);
  const names = apart < MANY_APART ? ROWS : [...ROWS.slice(0, 3), ["F", "G", "sex"], ["apart"]];
  return names.map((row) => GROUPS.filter(([group]) => row.includes(group)));
}

/** How many empty places a class shows; the sex chromosomes are a pair whichever they are. */
function missing(/** @type {string} */ slot, /** @type {Map<string, Shown[]>} */ members) {
  const count = (/** @type {string} */ label) => members.get(label)?.length ?? 0;
  if (slot === MARKER || slot === UNSURE || slot === "Y") return 0;
  return Math.max(0, 2 - (slot === "X" ? count("X") + count("Y") : count(slot)));
}

/** The size of an empty place: that of the homologue, or of the group. */
function usualSprites(/** @type {Map<string, Shown[]>} */ members) {
  const all = [...members.values()].flat();
  const median = (/** @type {number[]} */ values, /** @type {number} */ none) =>
    values.sort((one, other) => one - other)[values.length >> 1] ?? none;
  return (/** @type {string} */ slot) => {
    const group = GROUPS.find(([, labels]) => labels.includes(slot))?.[1] ?? [];
    const near = members.get(slot)?.length ? members.get(slot) : group.flatMap((label) => members.get(label) ?? []);
    const like = near?.length ? near : all;
    return {
      width: median(like.map((one) => one.sprite_width), 16),
      height: median(like.map((one) => one.sprite_height), 60),
      rise: median(like.map(rise), 25),
    };
  };
}

/** How far the centromere lies below the top of a sprite, turned end for end or not. */
function rise(/** @type {Shown} */ one) {
  return one.turned % 360 === 180 ? one.sprite_height - one.centromere - 0.5 : one.centromere + 0.5;
}

function standing(
  /** @type {[string, string[]][][]} */ rows,
  /** @type {Map<string, Shown[]>} */ members,
  /** @type {ReturnType<typeof usualSprites>} */ usual,
  /** @type {number} */ scale,
  /** @type {number} */ width,
  /** @type {Spacing} */ gaps,
) {
  /** @type {Layout} */
  const layout = { scale, height: 0, slots: [], groups: [] };
  let [top, wide] = [gaps.margin * 1.7, 0];
  for (const row of rows) {
    const filled = row.map(([group, labels]) => /** @type {const} */ ([group, labels.map((label) => fill(label, members, usual, scale, gaps))]));
    const slots = filled.flatMap(([, each]) => each);
    const above = Math.max(...slots.map((slot) => slot.above), 10);
    const below = Math.max(...slots.map((slot) => slot.below), 10);
    const natural = sum(slots.map((slot) => slot.width)) + gaps.pair * (slots.length - row.length) + gaps.group * (row.length - 1);
    wide = Math.max(wide, natural + 2 * gaps.margin);
    const spare = Math.max(0, width - natural - 2 * gaps.margin);
    const stretch = Math.min(spare / Math.max(1, slots.length - 1), 3 * gaps.pair);
    let x = (width - natural - stretch * (slots.length - 1)) / 2;
    for (const [group, each] of filled) {
      const left = x;
      for (const slot of each) {
        layout.slots.push(place(slot, x, top, above, below));
        x += slot.width + gaps.pair + stretch;
      }
      x -= gaps.pair + stretch;
      if (group.length === 1) layout.groups.push({ text: group, left, right: x, y: top + above + below + gaps.label });
      x += gaps.group + stretch;
    }
    top += above + below + gaps.label + gaps.bracket + gaps.row;
  }
  layout.height = top;
  return { layout, wide };
}

/** A slot before its position is known. */
function fill(
  /** @type {string} */ label,
  /** @type {Map<string, Shown[]>} */ members,
  /** @type {ReturnType<typeof usualSprites>} */ usual,
  /** @type {number} */ scale,
  /** @type {Spacing} */ gaps,
) {
  const places = (members.get(label) ?? []).map((one) => ({
    id: /** @type {string | null} */ (one.id), width: one.sprite_width * scale, height: one.sprite_height * scale, rise: rise(one) * scale,
  }));
  const empty = usual(label);
  for (let count = missing(label, members); count > 0; count -= 1) {
    places.push({ id: null, width: empty.width * scale, height: empty.height * scale, rise: empty.rise * scale });
  }
  const rooms = places.map((one) => Math.max(one.width, gaps.least));
  return {
    label, places, rooms, gap: gaps.partner,
    width: Math.max(sum(rooms) + gaps.partner * Math.max(0, places.length - 1), gaps.least * (label === MARKER || label === UNSURE ? 2.1 : 1.4)),
    above: Math.max(0, ...places.map((one) => one.rise)),
    below: Math.max(0, ...places.map((one) => one.height - one.rise)),
  };
}

/** @returns {Slot} */
function place(/** @type {ReturnType<typeof fill>} */ slot, /** @type {number} */ x, /** @type {number} */ top, /** @type {number} */ above, /** @type {number} */ below) {
  let at = 0;
  const places = slot.places.map((one, index) => {
    const room = slot.rooms[index];
    const standing = { id: one.id, x: at + (room - one.width) / 2, y: above - one.rise, width: one.width, height: one.height };
    at += room + slot.gap;
    return standing;
  });
  return { label: slot.label, x, y: top, width: slot.width, height: above + below, axis: above, places };
}

function sum(/** @type {number[]} */ values) {
  return values.reduce((total, value) => total + value, 0);
}
