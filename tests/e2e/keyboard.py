"""Use a page by keyboard alone: Tab to what is wanted, Enter, Space or type. The pointer is never touched."""

import re

from playwright.sync_api import Page

_MOST_STOPS = 120
_FIELDS = {"INPUT", "TEXTAREA", "SELECT"}
# What a screen reader would call the focused element, roughly; and whether its focus can be seen.
_FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return { name: "", visible: true };
  const labels = [...(element.labels ?? [])].map((label) => label.innerText).join(" ");
  const name = element.getAttribute("aria-label") || labels || element.innerText || element.value || "";
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const middle = document.elementFromPoint(
    Math.min(innerWidth - 1, Math.max(0, box.left + box.width / 2)),
    Math.min(innerHeight - 1, Math.max(0, box.top + Math.min(box.height / 2, 20))),
  );
  const covered = inside && middle && !element.contains(middle) && !middle.contains(element);
  return { name: name.trim(), visible: outlined && inside && !covered, tag: element.tagName };
}"""


class Keyboard:
    """A person without a mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def go_to(self, name: str, *, exact: bool = False, is_field: bool = False) -> None:
        """Press Tab until the focus is on what is called ``name``; at every stop the focus must be seen."""
        pattern = re.compile(f"^{re.escape(name)}$" if exact else re.escape(name), re.IGNORECASE)
        seen: list[str] = []
        for _ in range(_MOST_STOPS):
            self.page.keyboard.press("Tab")
            focused = self.page.evaluate(_FOCUSED)
            assert focused["visible"], f"the focus on {focused['name']!r} cannot be seen"
            if pattern.search(focused["name"]) and (not is_field or focused.get("tag") in _FIELDS):
                return
            seen.append(focused["name"][:40])
        raise AssertionError(f"Tab never came to {name!r}; it stopped at {seen}")

    def open(self, name: str, *, exact: bool = False) -> None:
        """Go to a link or button and press Enter, and wait for the page that follows."""
        self.go_to(name, exact=exact)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def fill(self, label: str, text: str) -> None:
        """Go to a field, replace what is in it."""
        self.go_to(label, is_field=True)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose(self, label: str, value: str) -> None:
        """Go to a list and type the beginning of what to choose."""
        self.go_to(label, is_field=True)
        self.page.keyboard.type(value)
