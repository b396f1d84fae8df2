// Reads parts of a page anew while something goes on: those with `data-anew`, at the address it names, by their id.
// What somebody is in the middle of (a form, a table that is opened) is outside of such parts and stays as it is.

const EVERY = 4000;
const LONGEST = 60000;

/** @param {HTMLElement} part @param {string} html */
function put(part, html) {
  const found = new DOMParser().parseFromString(html, "text/html");
  const head = part.getAttribute("aria-labelledby");
  const anew = head ? found.querySelector(`[aria-labelledby="${CSS.escape(head)}"]`) : null;
  if (!anew) return false;
  const open = [...part.querySelectorAll("details")].map((one) => one.open);
  part.replaceChildren(...anew.childNodes);
  part.querySelectorAll("details").forEach((one, place) => { one.open = open[place] ?? false; });
  return anew.hasAttribute("data-anew");
}

/** @param {HTMLElement[]} parts @param {string} address @param {number} every milliseconds */
async function follow(parts, address, every) {
  let wait = every;
  for (let going = true; going; ) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (document.hidden || parts.some((one) => one.contains(document.activeElement))) continue;
    try {
      const answer = await fetch(address);
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const html = await answer.text();
      going = parts.map((one) => put(one, html)).some(Boolean);
      wait = every;
    } catch {
      wait = Math.min(2 * wait, LONGEST);
    }
  }
  location.replace(address);
}

const parts = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-anew]")]);
if (parts[0]?.dataset.anew) follow(parts, parts[0].dataset.anew, Number(parts[0].dataset.every) || EVERY);
