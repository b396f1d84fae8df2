/** The help: every key, in its part. */

import { ask } from "./dialogs.js";
import { html } from "./dom.js";
import { KEYS } from "./keys.js";
import { say } from "./words.js";

const ARROWS = /** @type {Record<string, string>} */ ({ ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" });

export async function help() {
  const parts = [...new Set(KEYS.map((key) => key.part))];
  const table = (/** @type {string} */ part) =>
    html("section", {}, html("h3", {}, say(`part_${part}`)), html("dl", { class: "keys" }, ...KEYS.filter((key) => key.part === part).flatMap(row)));
  await ask(say("help_title"), () => [html("div", { class: "help" }, ...parts.map(table)), html("p", { class: "soft" }, say("help_pointer"))], { wide: true });
}

/** @param {import("./keys.js").Key} key */
function row({ keys, act }) {
  const written = keys.split(" ").flatMap((one, index) => [index ? " " : "", html("kbd", {}, one.replace(/Arrow\w+/, (arrow) => ARROWS[arrow]))]);
  return [html("dt", {}, ...written), html("dd", {}, say(`do_${act}`))];
}
