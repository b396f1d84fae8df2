// The page of the report: taking drafts over, and the dialog in which a report is signed.

for (const button of document.querySelectorAll("button[data-take]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    const field = document.getElementById(button.dataset.take ?? "");
    if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) return;
    field.value = button.dataset.text ?? "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
}

for (const button of document.querySelectorAll("button[data-opens]")) {
  const dialog = document.getElementById(/** @type {HTMLElement} */ (button).dataset.opens ?? "");
  if (dialog instanceof HTMLDialogElement) button.addEventListener("click", () => dialog.showModal());
}

for (const button of document.querySelectorAll("button[data-closes]")) {
  const dialog = document.getElementById(/** @type {HTMLElement} */ (button).dataset.closes ?? "");
  if (dialog instanceof HTMLDialogElement) button.addEventListener("click", () => dialog.close());
}

for (const dialog of document.querySelectorAll("dialog[data-open-at-once]")) {
  if (dialog instanceof HTMLDialogElement) dialog.showModal();
}

// A second click would sign what is signed already, and be refused: one is enough.
for (const form of document.querySelectorAll("dialog form")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  });
}
