// The page of a case comes alive: files go up one by one with their progress, readings show how far they are, acts on
// cells change what they change without loading the page. All of it works without this, by forms.

const csrf = document.querySelector('meta[name="csrf"]')?.content ?? "";

/** Put the parts of a newly fetched page into this one. @param {string} html @param {string[]} ids */
function replaceParts(html, ids) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const id of ids) {
    const old = document.getElementById(id);
    const now = fresh.getElementById(id);
    if (old && now) old.replaceWith(document.adoptNode(now));
  }
  fragments();
}

/** Send a form of the page and show what it changed in place. @param {SubmitEvent} event */
async function inPlace(event) {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.inplace === undefined) return;
  event.preventDefault();
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form, event.submitter)) body.append(name, String(value));
  const ids = form.dataset.inplace.split(" ");
  const buttons = [...form.querySelectorAll("button")];
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { "X-CSRF-Token": csrf }, redirect: "follow" });
    const html = await answer.text();
    if (!answer.ok && !html.includes(`id="${ids.at(-1)}"`)) throw new Error(String(answer.status));
    replaceParts(html, ids);
    const card = document.getElementById(ids.at(-1));
    (card?.querySelector(".problem[tabindex]") ?? card?.querySelector(".acts button") ?? card?.querySelector("a"))?.focus();
    loadFindings(true);
  } catch {
    // The plain way tells what went wrong, in words of the server.
    buttons.forEach((button) => { button.disabled = false; });
    const again = document.createElement("input");
    again.type = "hidden";
    if (event.submitter instanceof HTMLButtonElement && event.submitter.name) {
      again.name = event.submitter.name;
      again.value = event.submitter.value;
      form.append(again);
    }
    delete form.dataset.inplace;
    form.submit();
  }
}

/** Load what takes longer when somebody comes near it. */
function fragments() {
  const section = document.querySelector("[data-fragment]");
  if (!section || section.hasAttribute("data-watched")) return;
  section.setAttribute("data-watched", "");
  new IntersectionObserver((seen, observer) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    observer.disconnect();
    section.setAttribute("data-near", "");
    loadFindings(false);
  }, { rootMargin: "300px" }).observe(section);
}

/** @param {boolean} again whether it is shown already and has changed */
async function loadFindings(again) {
  const section = document.querySelector("[data-fragment]");
  if (!section || (again && !section.hasAttribute("data-near"))) return;
  const into = section.querySelector("[data-into]");
  into.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(section.dataset.fragment, { headers: { "X-Fragment": "1" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    into.replaceChildren(...document.adoptNode(fresh.body).childNodes);
  } finally {
    into.removeAttribute("aria-busy");
  }
}

/** Send one file, telling how far it is. @param {File} file @param {HTMLElement} line @param {HTMLFormElement} form */
function send(file, line, form) {
  return new Promise((resolve) => {
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    const said = line.querySelector("[data-said]");
    said.replaceChildren(bar);
    const request = new XMLHttpRequest();
    request.open("POST", form.dataset.upload);
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.upload.addEventListener("progress", (far) => { if (far.lengthComputable) bar.value = far.loaded / far.total; });
    const end = (text, stored) => {
      said.textContent = text;
      said.className = stored ? "tag good" : "bad-word";
      resolve(stored);
    };
    request.addEventListener("load", () => {
      if (request.status === 201) return end(form.dataset.stored, true);
      let told = form.dataset.lost;
      try {
        const { error } = JSON.parse(request.responseText);
        told = [error.what, error.way_out].filter(Boolean).join(/[一-鿿]/.test(error.what) ? "。" : ". ");
      } catch { /* an answer of something between us and the server */ }
      return end(told, false);
    });
    request.addEventListener("error", () => {
      end(form.dataset.lost, false);
      const again = document.createElement("button");
      again.type = "button";
      again.className = "second small";
      again.textContent = form.dataset.again;
      again.addEventListener("click", () => { again.remove(); said.className = ""; void send(file, line, form).then((stored) => { if (stored) refresh(); }); });
      line.append(again);
    });
    const body = new FormData();
    body.append("files", file, file.name);
    request.send(body);
  });
}

/** @param {HTMLFormElement} form @param {File[]} files */
async function sendAll(form, files) {
  const list = form.querySelector(".files");
  const largest = Number(form.dataset.largest) * 1024 * 1024;
  const lines = files.map((file) => {
    const line = document.createElement("li");
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = file.name;
    const said = document.createElement("span");
    said.dataset.said = "";
    const large = file.size > largest;
    said.textContent = large ? form.dataset.toolarge : form.dataset.waits;
    said.className = large ? "bad-word" : "soft";
    line.append(name, said);
    list.append(line);
    return large ? null : { file, line };
  });
  uploading += 1;
  let stored = 0;
  for (const one of lines) if (one && await send(one.file, one.line, form)) stored += 1;
  uploading -= 1;
  if (stored) await refresh();
}

let uploading = 0;

/** Fetch this page again and show its pictures, runs and cells as they are now. The list of files stays. */
async function refresh() {
  const answer = await fetch(window.location.pathname);
  if (!answer.ok) return;
  const kept = document.querySelector(".files");
  replaceParts(await answer.text(), ["images"]);
  const now = document.querySelector(".files");
  if (kept && now) now.replaceWith(kept);
  uploads();
  follow();
}

function uploads() {
  const form = document.querySelector("form[data-upload]");
  if (!(form instanceof HTMLFormElement) || form.dataset.ready) return;
  form.dataset.ready = "yes";
  const chooser = form.querySelector('input[type="file"]');
  const button = form.querySelector("button");
  button.hidden = true;
  chooser.addEventListener("change", () => { const files = [...chooser.files]; chooser.value = ""; void sendAll(form, files); });
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["dragenter", "dragover"]) form.addEventListener(name, (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    void sendAll(form, [...event.dataTransfer.files]);
  });
}

let following = false;

/** Show how far readings are, until they are over. */
async function follow() {
  if (following) return;
  following = true;
  try {
    while (document.querySelector("[data-live]")) {
      await new Promise((resolve) => { window.setTimeout(resolve, 1000); });
      const answer = await fetch(`/api/v1${window.location.pathname}/runs`).catch(() => null);
      if (!answer?.ok) continue;
      const runs = await answer.json();
      let over = false;
      for (const shown of document.querySelectorAll("[data-live]")) {
        const run = runs.find((one) => String(one.run) === shown.dataset.run);
        if (!run) continue;
        if (!["waiting", "running"].includes(run.state)) { over = true; continue; }
        const bar = shown.querySelector("progress");
        const done = run.progress?.done ?? 0;
        if (bar) bar.value = done;
        const said = shown.querySelector("[data-state]");
        if (said && shown.dataset[run.state]) said.textContent = shown.dataset[run.state];
        const far = shown.querySelector("[data-far]");
        if (far) far.textContent = `${done} / ${run.images}`;
      }
      if (over && !uploading) {
        if (document.querySelector('form[data-dirty="yes"]')) return void refresh();
        window.location.replace(window.location.pathname);
        return;
      }
    }
  } finally {
    following = false;
  }
}

document.addEventListener("submit", (event) => { void inPlace(event); });
document.addEventListener("visibilitychange", async () => {
  // Whoever comes back from the editor sees what she did there.
  if (document.visibilityState !== "visible" || !document.getElementById("cells") || document.querySelector("details[open] input")) return;
  const answer = await fetch(window.location.pathname).catch(() => null);
  if (answer?.ok) replaceParts(await answer.text(), ["sheet", "cells"]);
});
uploads();
fragments();
void follow();
