// Keep the parts of a page alive: fetch the region's address again and replace the parts that changed.
// What a person types, and where the focus is, stays.

const PAUSE_MS = 1500;
const region = document.querySelector("[data-live]");

const parts = (root) => new Map([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));

// What the server said of each part; a menu that somebody opened, or a running counter, is no news.
const served = new Map();

function settle(part) {
  served.set(part.dataset.part, part.outerHTML);
  if (part.dataset.stick === "bottom") part.scrollTop = part.scrollHeight;
}

function replacePart(current, next) {
  if (served.get(next.dataset.part) === next.outerHTML) return;
  const focused = current.contains(document.activeElement) ? document.activeElement.id : "";
  current.replaceWith(next);
  settle(next);
  if (focused) document.getElementById(focused)?.focus();
}

function isTyping() {
  const input = document.activeElement;
  return region.contains(input) && input.matches("input:not([type=hidden])") && input.value !== "";
}

// What somebody unfolded to read stays unfolded when news arrives around it.
function keepingOpen(change) {
  const open = [...region.querySelectorAll("details[id][open]")].map((details) => details.id);
  change();
  open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
}

function replace(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const before = parts(region);
  const after = parts(fresh);
  const isSameSet = before.size === after.size && [...after.keys()].every((key) => before.has(key));
  if (isSameSet) {
    after.forEach((next, key) => replacePart(before.get(key), next));
  } else if (!isTyping()) {
    region.replaceChildren(...fresh.childNodes);
    parts(region).forEach(settle);
  }
}

async function refresh() {
  if (!document.hidden) {
    try {
      const answer = await fetch(region.dataset.live, { headers: { Accept: "text/html" } });
      if (answer.ok) {
        const html = await answer.text();
        keepingOpen(() => replace(html));
      }
    } catch {
      // The twin restarts; the next round finds it again.
    }
  }
  window.setTimeout(refresh, PAUSE_MS);
}

if (region) {
  parts(region).forEach(settle);
  window.setTimeout(refresh, PAUSE_MS);
}
