// A row of links that is wider than the screen shows the page one is on, not only its beginning.

function show() {
  for (const link of document.querySelectorAll(":is(.rail, .tabs, .top-nav) > [aria-current]")) {
    const row = link.parentElement;
    row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
  }
}

addEventListener("resize", show);
show();
