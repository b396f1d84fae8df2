// Follows a job: how far it is, how long it may take, what it writes. When it is over, the page is read anew.

/** @typedef {{state: string, share: number | null, seconds_left: number | null, output: string}} Standing */

const EVERY = 1500;
const LONGEST = 15000;

/** @param {HTMLElement} told @param {Standing} standing @returns {string} */
function inWords(told, standing) {
  if (standing.state === "waiting") return told.dataset.waiting ?? "";
  const left = standing.seconds_left;
  if (left === null || standing.share === null) return told.dataset.working ?? "";
  const amount = left >= 90 ? `${Math.round(left / 60)} ${told.dataset.minutes}` : `${Math.round(left)} ${told.dataset.seconds}`;
  return `${Math.round(100 * standing.share)} % · ${told.dataset.left} ${amount}`;
}

/** @param {Standing} standing */
function show(standing) {
  const bar = /** @type {HTMLProgressElement | null} */ (document.getElementById("bar"));
  const told = document.getElementById("told");
  const output = document.getElementById("output");
  if (bar && standing.share !== null && standing.share < 1) bar.value = standing.share;
  else if (bar) bar.removeAttribute("value");
  if (told) {
    const words = inWords(told, standing);
    if (told.textContent !== words) told.textContent = words;
  }
  if (output && output.textContent !== standing.output) {
    const atEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 4;
    output.textContent = standing.output;
    if (atEnd) output.scrollTop = output.scrollHeight;
  }
}

/** @param {string} address of the standing @param {string} page that is read anew at the end */
async function watch(address, page) {
  let wait = EVERY;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    try {
      const answer = await fetch(address, { headers: { accept: "application/json" } });
      if (answer.status === 401 || answer.status === 403) return location.replace(page);
      if (!answer.ok) throw new Error(String(answer.status));
      const standing = /** @type {Standing} */ (await answer.json());
      if (standing.state !== "waiting" && standing.state !== "running") return location.replace(page);
      show(standing);
      wait = EVERY;
    } catch {
      wait = Math.min(2 * wait, LONGEST); // the line is cut or the server starts anew; the job goes on without us
    }
  }
}

const watched = /** @type {HTMLElement | null} */ (document.querySelector("[data-watch]"));
if (watched?.dataset.watch) watch(watched.dataset.watch, watched.dataset.page ?? location.pathname);
