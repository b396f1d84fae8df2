// What every page does with the keyboard: a scanner is a fast typist who ends with Enter; letters alone are shortcuts.
// Nothing here is needed to work: each of these ways is also a link or a form.

const SCANNED = /^[A-Z][A-Z0-9]{0,7}\d\d-\d{3,9}(?:-[CHS]\d{1,3})*$|^P\d{7}$|^[^/\s]+\/[^/\s]+\/[^/\s]+$/i;
const FASTEST_HAND_MS = 45;
const KEYS_OFF = "consilium.keys.off";

/** @type {{text: string, at: number, into: HTMLElement | null, before: string}} */
let burst = { text: "", at: 0, into: null, before: "" };

/** Whether keys typed here are text. @param {EventTarget | null} target */
function isText(target) {
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
    || (target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "file"].includes(target.type))
    || (target instanceof HTMLElement && target.isContentEditable);
}

/** Whether a form on the page holds what is not saved yet. */
function hasUnsaved() {
  return [...document.querySelectorAll("form[data-dirty]")].some((form) => form.dataset.dirty === "yes");
}

/** Go to what was scanned, or ask first where that would lose what was typed. @param {string} label */
function goTo(label) {
  const address = `/find?q=${encodeURIComponent(label)}`;
  const asking = document.getElementById("leave");
  if (!hasUnsaved() || !(asking instanceof HTMLElement)) {
    leaving = true;
    window.location.assign(address);
    return;
  }
  asking.hidden = false;
  asking.querySelector("[data-label]").textContent = asking.dataset.words.replace("{label}", label);
  const link = asking.querySelector("a");
  link.href = address;
  link.focus();
}

let leaving = false;

/** Collect what a scanner types, wherever the cursor is. @param {KeyboardEvent} event */
function listen(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const now = performance.now();
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (event.key === "Enter") {
    const text = burst.text;
    const fast = now - burst.at <= FASTEST_HAND_MS;
    const { into, before } = burst;
    burst = { text: "", at: 0, into: null, before: "" };
    if (!fast || text.length < 6 || !SCANNED.test(text)) return;
    const field = into instanceof HTMLInputElement || into instanceof HTMLTextAreaElement ? into : null;
    if (field && (field.dataset.scan !== undefined || field.name === "q")) return afterScan(field, event);
    event.preventDefault();
    event.stopPropagation();
    if (field) field.value = before;
    goTo(text);
    return;
  }
  if (event.key.length !== 1) return;
  if (now - burst.at > FASTEST_HAND_MS) {
    burst = { text: "", at: now, into: target, before: target && "value" in target ? String(target.value) : "" };
  }
  burst.text += event.key;
  burst.at = now;
}

/** In a field that waits for a label, Enter goes on to the next field that is empty. */
function afterScan(field, event) {
  const form = field.form;
  if (!form) return;
  const next = [...form.elements].find((one) => one !== field && one.required && "value" in one && !one.value);
  if (next instanceof HTMLElement) {
    event.preventDefault();
    next.focus();
  }
}

/** Shortcuts of one letter, where no text is typed. @param {KeyboardEvent} event */
function shortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isText(event.target) || event.defaultPrevented) return;
  if (document.body.dataset.keys === "own" || document.querySelector("dialog[open]")) return;
  if (event.key === "?") return void document.getElementById("keys")?.showModal();
  if (localStorage.getItem(KEYS_OFF) === "yes") return;
  const acts = {
    "/": () => document.getElementById("find")?.focus(),
    w: () => window.location.assign("/worklist"),
    n: () => document.querySelector('header a[href="/reception"]') && window.location.assign("/reception"),
    j: () => step(1),
    k: () => step(-1),
    o: () => document.querySelector("tr[data-here] a")?.click(),
  };
  if (!(event.key in acts)) return;
  // A scanner's first letter is no shortcut: wait until the next one would have come.
  const { key } = event;
  event.preventDefault();
  window.setTimeout(() => { if (burst.text.length <= 1) acts[key](); }, FASTEST_HAND_MS * 2);
}

/** Go to the next or previous row of the page's table. @param {number} by */
function step(by) {
  const rows = [...document.querySelectorAll("table[data-rows] tbody tr")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.hasAttribute("data-here"));
  const to = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
  rows.forEach((row) => row.removeAttribute("data-here"));
  to.setAttribute("data-here", "");
  to.querySelector("a")?.focus();
  to.scrollIntoView({ block: "nearest" });
}

/** Show only the fields that belong to what is chosen. */
function choices() {
  const all = [...document.querySelectorAll("input[data-shows]")];
  const show = () => {
    all.forEach((one) => { document.getElementById(one.dataset.shows).hidden = !one.checked; });
    const asked = document.getElementById("asked");
    if (asked) asked.hidden = Boolean(document.querySelector('input[name="whose"][value="case"]:checked'));
  };
  all.forEach((one) => one.addEventListener("change", show));
  if (all.length) show();
}

function frame() {
  document.addEventListener("keydown", listen, true);
  document.addEventListener("keydown", shortcut);
  for (const form of document.querySelectorAll("form[data-dirty]")) {
    form.addEventListener("input", () => { form.dataset.dirty = "yes"; });
    form.addEventListener("submit", () => { leaving = true; });
    if (form.querySelector(".problem")) form.dataset.dirty = "yes";
  }
  window.addEventListener("beforeunload", (event) => { if (hasUnsaved() && !leaving) event.preventDefault(); });
  document.querySelector(".problem[tabindex]")?.focus();
  document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
  for (const free of document.querySelectorAll("button[data-position]")) {
    free.addEventListener("click", () => {
      const choice = document.querySelector('select[name="position"]');
      if (choice instanceof HTMLSelectElement) choice.value = free.dataset.position;
      document.querySelector('input[name="label"]')?.focus();
    });
  }
  const dialog = document.getElementById("keys");
  for (const opener of document.querySelectorAll("[data-opens-keys]")) {
    opener.hidden = false;
    opener.addEventListener("click", () => dialog?.showModal());
  }
  const use = dialog?.querySelector("input");
  if (use instanceof HTMLInputElement) {
    use.checked = localStorage.getItem(KEYS_OFF) !== "yes";
    use.addEventListener("change", () => localStorage.setItem(KEYS_OFF, use.checked ? "no" : "yes"));
  }
  choices();
}

frame();
