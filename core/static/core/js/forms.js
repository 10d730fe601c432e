// Forms: data-once stops a second click, data-auto-submit sends a form without one.
// Every marked form also has a visible button, which is the way without scripts.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "true";
  for (const button of form.querySelectorAll("button:not([type=button])")) {
    button.setAttribute("aria-disabled", "true");
  }
});

// Coming back with the Back button shows the old page as it was: let its forms be sent again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
  }
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form");
  if (form?.dataset.autoSubmit === "change") form.requestSubmit();
});

for (const form of document.querySelectorAll("form[data-auto-submit]")) {
  if (form.dataset.autoSubmit !== "change") form.requestSubmit();
}

document.querySelector(".error-summary")?.focus();
