/** The ideogram of a class at a band level, pter up, to hold a chromosome against. */

import { svg } from "./dom.js";

/** @typedef {import("./contract.js").Band} Band */

/**
 * @param {Band[]} bands
 * @param {{height: number, width: number, font: number, label: string}} how  CSS pixels
 * @returns {SVGElement}
 */
export function ideogram(bands, { height, width, font, label }) {
  const whole = bands[bands.length - 1].stop;
  const scale = (height - 4) / whole;
  const y = (/** @type {number} */ units) => 2 + units * scale;
  const names = 3.4 * font;
  const drawn = svg("svg", { class: "ideogram", width: width + names, height, viewBox: `0 0 ${width + names} ${height}`, role: "img", "aria-label": label });
  const middle = bands.find((band) => band.name.startsWith("q"))?.start ?? whole / 2;
  for (const band of bands) drawn.append(piece(band, y, width, middle));
  drawn.append(svg("path", { class: "outline", d: arms(y, whole, middle, width) }));
  let last = -Infinity;
  for (const band of bands) {
    const at = (y(band.start) + y(band.stop)) / 2;
    if (at - last < font * 0.92 || at < font * 0.4 || at > height - font * 0.2) continue;
    drawn.append(svg("text", { x: width + 5, y: at, "font-size": font * 0.86, "dominant-baseline": "central" }, band.name));
    last = at;
  }
  return drawn;
}

/** @param {Band} band @param {(units: number) => number} y @param {number} width @param {number} middle */
function piece(band, y, width, middle) {
  const [top, bottom] = [y(band.start), y(band.stop)];
  const grey = Math.round(255 * (1 - 0.88 * Math.max(0, (band.darkness - 0.25) / 0.75)));
  const title = svg("title", {}, band.name);
  if (band.stain === "acen") {
    const apex = y(middle);
    const base = band.stop <= middle ? top : bottom;
    return svg("path", { class: "acen", d: `M1 ${base}L${width - 1} ${base}L${width / 2} ${apex}Z` }, title);
  }
  const inset = band.stain === "stalk" ? width * 0.3 : 1;
  return svg("rect", { x: inset, y: top, width: width - 2 * inset, height: Math.max(0.5, bottom - top), fill: `rgb(${grey} ${grey} ${grey})`, class: band.stain }, title);
}

/** The border of both arms. */
function arms(/** @type {(units: number) => number} */ y, /** @type {number} */ whole, /** @type {number} */ middle, /** @type {number} */ width) {
  const arm = (/** @type {number} */ from, /** @type {number} */ to) => {
    const radius = Math.min(width / 3, Math.abs(to - from) / 2);
    return `M1 ${from + radius}Q1 ${from} ${1 + radius} ${from}H${width - 1 - radius}Q${width - 1} ${from} ${width - 1} ${from + radius}V${to - radius}Q${width - 1} ${to} ${width - 1 - radius} ${to}H${1 + radius}Q1 ${to} 1 ${to - radius}Z`;
  };
  return arm(y(0), y(middle)) + arm(y(middle), y(whole));
}
