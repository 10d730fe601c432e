// Closes an open menu on Escape, on a click elsewhere and when the focus leaves it.

function close(menu, { returnFocus = false } = {}) {
  menu.open = false;
  if (returnFocus) menu.querySelector("summary").focus();
}

function openMenus() {
  return document.querySelectorAll("details.menu[open]");
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) close(menu, { returnFocus: true });
});

for (const name of ["click", "focusin"]) {
  document.addEventListener(name, (event) => {
    for (const menu of openMenus()) {
      if (!menu.contains(event.target)) close(menu);
    }
  });
}
