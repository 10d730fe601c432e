// Offers printing where a script can do it; the browser's own menu does it too.

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
