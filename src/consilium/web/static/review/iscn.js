// A field for a karyotype that is checked while one types. Nothing here decides anything: the server judges, and judges
// again when the form is sent. Fields are found by data-iscn, which names where the judgement is shown.

const script = document.getElementById("iscn-words");
const words = script instanceof HTMLElement ? script.dataset : {};
const AFTER_MS = 250;

/**
 * @typedef {{rule: string, section: string, severity: string, start: number, end: number, message: string,
 *   suggestion: string | null}} Fault
 * @typedef {{iscn: string, parsed: boolean, valid: boolean, canonical: string | null, faults: Fault[],
 *   sentences: string[]}} Checked
 */

/** An element with a text. @param {string} name @param {string} text @param {string} [kind] */
function made(name, text, kind) {
  const element = document.createElement(name);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

/** The string with the place of a fault marked in it. @param {string} text @param {Fault} fault */
function marked(text, fault) {
  const letters = [...text];
  const shown = made("code", "", "place iscn");
  shown.append(letters.slice(0, fault.start).join(""));
  // A fault at the end, where something is missing, has no letter to mark.
  shown.append(made("mark", letters.slice(fault.start, fault.end).join("") || "␣", fault.severity));
  shown.append(letters.slice(fault.end).join(""));
  return shown;
}

/** Show a judgement. @param {HTMLElement} place @param {HTMLInputElement} field @param {Checked} found */
function show(place, field, found) {
  const verdict = document.createElement("p");
  verdict.append(made("span", found.valid ? words.right : words.wrong, `tag ${found.valid ? "good" : "bad"}`));
  const list = document.createElement("ul");
  for (const fault of found.faults) {
    const item = document.createElement("li");
    item.append(marked(found.iscn, fault), " ", fault.message, " ");
    item.append(made("span", `(${words.section.replace("{section}", fault.section)})`, "soft"));
    if (fault.suggestion !== null) {
      const button = /** @type {HTMLButtonElement} */ (made("button", `${words.putRight}: ${fault.suggestion}`, "second small"));
      button.type = "button";
      button.addEventListener("click", () => {
        field.value = /** @type {string} */ (fault.suggestion);
        field.dispatchEvent(new Event("input", { bubbles: true }));
        field.focus();
      });
      item.append(" ", button);
    }
    list.append(item);
  }
  for (const sentence of found.sentences) list.append(made("li", sentence, "soft"));
  place.replaceChildren(verdict, list);
  field.setAttribute("aria-invalid", String(!found.valid));
}

/** Watch a field. @param {HTMLInputElement} field */
function watch(field) {
  const place = document.getElementById(field.dataset.iscn ?? "");
  if (!place) return;
  let timer = 0;
  /** @type {AbortController | null} */
  let asking = null;

  async function check() {
    asking?.abort();
    const text = field.value.trim();
    if (!text) {
      place.replaceChildren();
      field.removeAttribute("aria-invalid");
      return;
    }
    const mine = new AbortController();
    asking = mine;
    try {
      const answer = await fetch("/api/v1/iscn/check", {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          "X-CSRF-Token": document.querySelector('meta[name="csrf"]')?.getAttribute("content") ?? "",
        },
        body: JSON.stringify({ iscn: text, lang: words.lang }),
        signal: mine.signal,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      show(place, field, /** @type {Checked} */ (await answer.json()));
    } catch (problem) {
      if (mine.signal.aborted) return;
      place.replaceChildren(made("p", words.unchecked ?? "", "soft"));
      field.removeAttribute("aria-invalid");
    }
  }

  field.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(check, AFTER_MS);
  });
  if (field.value.trim()) void check();
}

for (const field of document.querySelectorAll("input[data-iscn]")) watch(/** @type {HTMLInputElement} */ (field));
