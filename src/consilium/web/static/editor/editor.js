/** The karyogram editor: reads the cell, puts its parts together and keeps them in step. */

import { Actions } from "./actions.js";
import { ActsBar } from "./acts.js";
import { Server } from "./api.js";
import { Appearance } from "./appearance.js";
import { OpenCell } from "./cell.js";
import { compare } from "./compare.js";
import { html } from "./dom.js";
import { help } from "./help.js";
import { Inspector } from "./inspector.js";
import { Karyogram } from "./karyogram.js";
import { Keys } from "./keys.js";
import { homeOf } from "./layout.js";
import { Metaphase } from "./metaphase.js";
import { Neighbours } from "./neighbours.js";
import { Outbox } from "./outbox.js";
import { askWhose, Status } from "./status.js";
import { Toolbar } from "./toolbar.js";
import { Tools } from "./tools.js";
import { say } from "./words.js";

/** @type {{cell: number, person: string, csrf: string}} */
const facts = JSON.parse(document.getElementById("editor-facts")?.textContent ?? "{}");
const server = new Server(facts);
// The frame of the pages has keys of its own, which mean something else here.
document.body.dataset.keys = "own";
document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || !event.target.closest("[data-opens-keys]")) return;
  event.stopImmediatePropagation();
  void help();
}, { capture: true });
void open();

async function open() {
  const editor = /** @type {HTMLElement} */ (document.getElementById("editor"));
  try {
    const stored = await server.cell(facts.cell);
    editor.replaceChildren();
    build(editor, stored);
    editor.removeAttribute("aria-busy");
  } catch (problem) {
    const why = String(/** @type {*} */ (problem)?.message ?? problem);
    editor.replaceChildren(html("div", { class: "problem", role: "alert" }, html("p", {}, say("load_failed", { why })), html("button", { type: "button", onclick: open }, say("try_again"))));
  }
}

/** @param {HTMLElement} editor @param {import("./contract.js").Cell} stored */
function build(editor, stored) {
  const outbox = new Outbox({ server, cell: facts.cell, person: facts.person });
  const cell = new OpenCell(stored, outbox);
  const rooms = furnish(editor, stored);
  const status = new Status(rooms.bar, rooms.notices, cell);
  const warn = (/** @type {string} */ text) => status.warn(text);
  const appearance = new Appearance(editor);
  const karyogram = new Karyogram(rooms.karyogram, cell);
  const metaphase = new Metaphase(rooms.metaphase, cell, karyogram.dragging);
  const tools = new Tools(cell, metaphase, warn);
  /** @type {Actions} */
  let actions;
  const inspector = new Inspector(rooms.inspector, cell, (label) => actions.assign(label));
  actions = new Actions({
    cell, karyogram, metaphase, tools, appearance, inspector, warn, help,
    compare: (label) => compare({ server, name: stored.case, cell: facts.cell, label: homeOf(label), bands: inspector.bands[inspector.level] ?? {}, choose: (id) => { cell.select(id); karyogram.focus(id); } }),
    neighbours: new Neighbours(rooms.neighbours, server, stored),
    names: () => editor.toggleAttribute("data-names"),
  });
  new Toolbar(rooms.tools, rooms.view, actions, appearance);
  new Keys(actions, (typed) => status.typing(typed));
  new ActsBar(rooms.acts, server, cell, warn);
  showHint(rooms.hint, tools);
  outbox.addEventListener("changed", () => reconcile(cell, warn));
  outbox.addEventListener("refused", () => cell.replace(cell.stored));
  outbox.start(stored.version);
  const asked = new URLSearchParams(window.location.search);
  const first = cell.shown.has(asked.get("look") ?? "") ? asked.get("look") : cell.nextDoubtful();
  if (first) {
    cell.select(first);
    karyogram.focus(first);
  }
  void server.bands().then(
    (bands) => inspector.learn(bands),
    () => warn(say("no_bands")),
  ).then(() => {
    const label = asked.get("compare");
    if (label) actions.compare(label);
  });
  // For tests and for whoever looks into a page that misbehaves; nothing depends on it.
  Object.assign(window, { consiliumEditor: { cell, outbox, actions, tools, metaphase, karyogram } });
}

/** @param {HTMLElement} editor @param {import("./contract.js").Cell} stored */
function furnish(editor, stored) {
  const rooms = {
    bar: html("div", { class: "cell-figures" }),
    neighbours: html("nav", { class: "neighbours", "aria-label": say("class_cells") }),
    acts: html("div", { class: "cell-acts", role: "group", "aria-label": say("acts") }),
    tools: html("div", { class: "tools", role: "toolbar", "aria-label": say("toolbar") }),
    view: html("div", { class: "view-tools", role: "toolbar", "aria-label": say("metaphase") }),
    hint: html("div", { class: "hint-line", role: "status" }),
    metaphase: html("div", { class: "metaphase-room" }),
    karyogram: html("div", { class: "karyogram-room" }),
    inspector: html("section", { class: "pane inspector", "aria-label": say("inspector") }),
    notices: html("div", { class: "notices" }),
  };
  const title = html("h1", {}, html("a", { href: `/cases/${stored.case}` }, stored.case), html("span", { class: "soft" }, ` · ${stored.image}`));
  const synthetic = stored.synthetic ? html("span", { class: "tag doubt", title: say("synthetic_title") }, say("synthetic")) : null;
  const locked = stored.locked ? html("p", { class: "notice", role: "status" }, say("locked")) : null;
  editor.append(
    html("div", { class: "cell-head" }, title, rooms.neighbours, synthetic, rooms.bar, rooms.acts),
    ...(locked ? [locked] : []),
    rooms.tools,
    html("div", { class: "panes" },
      html("section", { class: "pane left", "aria-label": say("metaphase") }, rooms.view, rooms.metaphase, rooms.hint),
      html("section", { class: "pane middle", "aria-label": say("karyogram") }, rooms.karyogram),
      rooms.inspector),
    rooms.notices,
  );
  return rooms;
}

/** @param {HTMLElement} line @param {Tools} tools */
function showHint(line, tools) {
  tools.addEventListener("change", () => {
    const accept = tools.canAccept ? [html("button", { type: "button", class: "accept", onclick: () => tools.accept() }, say("accept"))] : [];
    line.replaceChildren(tools.hint, ...accept);
    line.toggleAttribute("data-shown", tools.hint !== "");
  });
}

/** Somebody else was faster: read the cell, say who changed what, and ask what becomes of what waits here. */
async function reconcile(/** @type {OpenCell} */ cell, /** @type {(text: string) => void} */ warn) {
  try {
    const seen = cell.outbox.waiting[0]?.seen ?? cell.stored.version;
    const [stored, log] = await Promise.all([server.cell(facts.cell), server.log(facts.cell)]);
    const theirs = log.slice(seen);
    cell.replace(stored);
    const answer = await askWhose(theirs, cell.outbox.waiting);
    if (answer === "resend") cell.outbox.resend(stored.version);
    else cell.outbox.discard(stored.version);
  } catch (problem) {
    warn(say("load_failed", { why: String(/** @type {*} */ (problem)?.message ?? problem) }));
    window.setTimeout(() => reconcile(cell, warn), 3000);
  }
}
