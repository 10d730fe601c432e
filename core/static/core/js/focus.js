// Whatever arrives above it, what has the focus stays in sight: nobody loses their place while a page grows.

let wasSeen = false;

function isSeen(element) {
  if (!element || element === document.body) return false;
  const box = element.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
}

document.addEventListener("htmx:beforeSwap", () => {
  wasSeen = isSeen(document.activeElement);
});
document.addEventListener("htmx:afterSettle", () => {
  const focused = document.activeElement;
  // Somebody who had scrolled away from it stays where they are.
  if (wasSeen && focused !== document.body && !isSeen(focused)) focused.scrollIntoView({ block: "nearest" });
});
