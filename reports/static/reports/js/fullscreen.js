// A button with data-full-screen="id" fills the screen with that element; it stays hidden where that cannot be done.

for (const button of document.querySelectorAll("[data-full-screen]")) {
  const target = document.getElementById(button.dataset.fullScreen);
  if (!target || !document.fullscreenEnabled) continue;
  button.hidden = false;
  button.addEventListener("click", () => target.requestFullscreen());
}
