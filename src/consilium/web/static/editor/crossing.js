/**
 * A first guess at two chromosomes that cross or touch, from their common outline.
 *
 * Where two rods cross, the outline has four notches. The border between two neighbouring notches is one arm; opposite arms
 * belong together, and the quadrilateral between the notches belongs to both. Two notches mean that they only touch.
 * (The rule of concave points: Lerner et al., IEEE Trans. Biomed. Eng. 1998;45:1-8, in its simplest form.)
 */

import { area, dense, distance, inside } from "./geometry.js";

/** @typedef {import("./contract.js").Point} Point */

/** A notch turns the outline by more than this; rounded ends and gentle bends do not. */
const LEAST_TURN = 0.45;

/**
 * @param {Point[]} outline
 * @returns {[Point[], Point[]] | null}  null where there is no pair of notches
 */
export function guessTwo(outline) {
  const border = clockwise(dense(outline, true, 1));
  const found = notches(border);
  if (found.length >= 4) return crossing(border, fourOf(border, found.slice(0, 6)));
  if (found.length >= 2) return sides(border, pairOf(border, found));
  return null;
}

/**
 * Indices of the notches of a clockwise border, the sharpest first.
 * @param {Point[]} border  a pixel apart
 */
export function notches(border) {
  const reach = Math.max(3, Math.round(0.55 * width(border)));
  const turns = border.map((_, index) => turn(border, index, reach));
  const order = turns.map((_, index) => index).filter((index) => turns[index] > LEAST_TURN);
  order.sort((one, other) => turns[other] - turns[one]);
  /** @type {number[]} */
  const kept = [];
  for (const index of order) {
    const far = kept.every((other) => apart(index, other, border.length) > 1.2 * reach);
    if (far && kept.length < 8) kept.push(index);
  }
  return kept;
}

/** By how much (radians) the border turns inwards at a point. */
function turn(/** @type {Point[]} */ border, /** @type {number} */ index, /** @type {number} */ reach) {
  const at = (/** @type {number} */ place) => border[(place + border.length) % border.length];
  const [before, here, after] = [at(index - reach), at(index), at(index + reach)];
  const [ax, ay] = [here[0] - before[0], here[1] - before[1]];
  const [bx, by] = [after[0] - here[0], after[1] - here[1]];
  return -Math.atan2(ax * by - ay * bx, ax * bx + ay * by);
}

/** Mean width of a figure of rods: twice its area over its border. */
function width(/** @type {Point[]} */ border) {
  return (2 * Math.abs(area(border))) / Math.max(1, border.length);
}

function apart(/** @type {number} */ one, /** @type {number} */ other, /** @type {number} */ length) {
  const steps = Math.abs(one - other);
  return Math.min(steps, length - steps);
}

/** @returns {Point[]} */
function clockwise(/** @type {Point[]} */ border) {
  return area(border) > 0 ? border : [...border].reverse();
}

/** The four notches closest together: those of one crossing. */
function fourOf(/** @type {Point[]} */ border, /** @type {number[]} */ found) {
  let [best, chosen] = [Infinity, found.slice(0, 4)];
  const count = found.length;
  for (let mask = 0; mask < 1 << count; mask += 1) {
    const some = found.filter((_, bit) => mask & (1 << bit));
    if (some.length !== 4) continue;
    some.sort((one, other) => one - other);
    const round = some.reduce((total, one, index) => total + distance(border[one], border[some[(index + 1) % 4]]), 0);
    if (round < best) [best, chosen] = [round, some];
  }
  return [...chosen].sort((one, other) => one - other);
}

/** The two notches that face each other across the narrowest neck. */
function pairOf(/** @type {Point[]} */ border, /** @type {number[]} */ found) {
  let [best, pair] = [Infinity, [found[0], found[1]]];
  found.forEach((one, index) =>
    found.slice(index + 1).forEach((other) => {
      const span = distance(border[one], border[other]);
      const middle = /** @type {Point} */ ([(border[one][0] + border[other][0]) / 2, (border[one][1] + border[other][1]) / 2]);
      if (span < best && inside(middle, border)) [best, pair] = [span, [one, other]];
    }),
  );
  return pair;
}

/** @returns {[Point[], Point[]]} */
function crossing(/** @type {Point[]} */ border, /** @type {number[]} */ [a, b, c, d]) {
  return [[...arc(border, a, b), ...arc(border, c, d)], [...arc(border, b, c), ...arc(border, d, a)]];
}

/** @returns {[Point[], Point[]]} */
function sides(/** @type {Point[]} */ border, /** @type {number[]} */ [a, b]) {
  return [arc(border, a, b), arc(border, b, a)];
}

/** @returns {Point[]} */
function arc(/** @type {Point[]} */ border, /** @type {number} */ from, /** @type {number} */ to) {
  return from <= to ? border.slice(from, to + 1) : [...border.slice(from), ...border.slice(0, to + 1)];
}
