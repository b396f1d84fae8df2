/** One class across all cells of the case, side by side, beside its ideogram. */

import { ask } from "./dialogs.js";
import { html } from "./dom.js";
import { ideogram } from "./ideogram.js";
import { CLASSES } from "./layout.js";
import { fieldName, say } from "./words.js";

/** Height of the longest one, CSS pixels at a root font of 13. */
const TALLEST = 170;

/**
 * @param {object} of
 * @param {import("./api.js").Server} of.server
 * @param {string} of.name  of the case
 * @param {number} of.cell
 * @param {string} of.label
 * @param {Record<string, import("./contract.js").Band[]>} of.bands  at the level that is looked at
 * @param {(id: string) => void} of.choose  a chromosome of the open cell
 */
export async function compare({ server, name, cell, label, bands, choose }) {
  const strip = html("div", { class: "strip", "aria-busy": "true", tabindex: "0", role: "group", "aria-label": say("compare_strip") }, html("p", { class: "soft" }, say("loading")));
  const picked = html("select", { "aria-label": say("class"), autofocus: true }, ...[...CLASSES, "others"].map((one) => html("option", { value: one, selected: one === label }, CLASSES.includes(one) ? one : say(one))));
  /** @type {(id: string) => void} */
  let chosen = () => {};
  const load = async (/** @type {string} */ shown) => {
    try {
      const told = await server.chromosomes(name, shown);
      strip.replaceChildren(...drawn(told, shown, cell, bands[shown], (id) => chosen(id)));
    } catch (problem) {
      strip.replaceChildren(html("p", { role: "alert" }, String(/** @type {*} */ (problem)?.message ?? problem)));
    }
    strip.removeAttribute("aria-busy");
  };
  picked.addEventListener("change", () => load(/** @type {HTMLSelectElement} */ (picked).value));
  void load(label);
  const id = await ask(say("compare_title"), (answer) => {
    chosen = answer;
    return [html("label", { class: "bar" }, say("class"), " ", picked), strip];
  }, { wide: true });
  if (id !== null) choose(id);
}

/** @param {*} told @param {string} label @param {number} open @param {import("./contract.js").Band[] | undefined} bands @param {(id: string) => void} choose */
function drawn(told, label, open, bands, choose) {
  const cells = told.filter((/** @type {*} */ one) => one.objects.length);
  if (!cells.length) return [html("p", { class: "soft" }, say("compare_none", { name: fieldName(label) }))];
  const font = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const height = (TALLEST * font) / 13;
  const tallest = Math.max(...cells.flatMap((/** @type {*} */ one) => one.objects.map((/** @type {*} */ each) => each.sprite_height)));
  const scale = Math.min(3, height / tallest);
  const figures = cells.map((/** @type {*} */ one) => {
    const pictures = one.objects.map((/** @type {*} */ each) => {
      const picture = html("img", { src: each.sprite, alt: say("of_cell", { name: fieldName(each.label), image: one.image }) });
      Object.assign(picture.style, { width: `${each.sprite_width * scale}px`, height: `${each.sprite_height * scale}px` });
      if (one.cell !== open) return picture;
      return html("button", { type: "button", class: "bare", onclick: () => choose(each.id) }, picture);
    });
    const caption = one.cell === open ? html("strong", {}, one.image) : html("a", { href: `/cells/${one.cell}` }, one.image);
    return html("figure", { class: one.cell === open ? "of-cell open" : "of-cell" }, html("div", { class: "copies" }, ...pictures), html("figcaption", {}, caption));
  });
  const beside = bands ? [ideogram(bands, { height: tallest * scale, width: 1.3 * font, font, label: say("ideogram", { label, level: "" }) })] : [];
  return [...beside, ...figures];
}
