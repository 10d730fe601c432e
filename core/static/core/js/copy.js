// Copies a value, shows a tick and says so aloud.

function announce(text) {
  const announcer = document.querySelector("[data-announcer]");
  announcer.textContent = "";
  // A new task: the same words twice in a row would otherwise not be read again.
  setTimeout(() => { announcer.textContent = text; });
}

async function writeToClipboard(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Plain http has no clipboard API: copy from a field that is on the page for a moment.
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("The browser refused to copy");
}

async function copyFrom(button) {
  try {
    await writeToClipboard(button.dataset.copy);
  } catch {
    announce("Not copied. Select the text and copy it by keyboard.");
    return;
  }
  (button.closest(".copy-field") ?? button).classList.add("is-copied");
  announce(button.dataset.copiedText);
  button.dispatchEvent(new CustomEvent("copied", { bubbles: true }));
}

function reveal(root) {
  for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

reveal(document);
document.addEventListener("htmx:load", (event) => reveal(event.target));
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copyFrom(button);
});
