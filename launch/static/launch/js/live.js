// Keep the companion page at most three seconds old: a stream says when to look, and while there is none
// (no Redis, a proxy that collects, a browser without EventSource) the page looks every two seconds by itself.

const POLL_MS = 2000;
const SILENCE_MS = 25000; // the server says "alive" every ten seconds
const REOPEN_MS = 10000;
const AT_LEAST_MS = 30000; // what changes by the clock alone, such as "this page may be behind"
const STOP = 286; // htmx's status for "ask no more"

const region = document.querySelector("[data-live-status]");

let source;
let heardAt = 0;
let lookedAt = 0;
let isStopped = false;

function look() {
  if (isStopped) return;
  lookedAt = performance.now();
  region.dispatchEvent(new Event("look"));
}

function isHearing() {
  return source?.readyState === EventSource.OPEN && performance.now() - heardAt < SILENCE_MS;
}

function open() {
  source?.close();
  if (isStopped || !("EventSource" in window)) return;
  source = new EventSource(region.dataset.liveStatus);
  source.addEventListener("open", () => (heardAt = performance.now()));
  source.addEventListener("alive", () => (heardAt = performance.now()));
  source.addEventListener("changed", () => {
    heardAt = performance.now();
    look();
  });
}

function tick() {
  const age = performance.now() - lookedAt;
  if (age >= (isHearing() ? AT_LEAST_MS : POLL_MS)) look();
}

function stop() {
  isStopped = true;
  source?.close();
}

if (region) {
  region.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.xhr?.status === STOP) stop();
  });
  open();
  setInterval(tick, POLL_MS / 2);
  setInterval(() => {
    if (!isHearing() && source?.readyState !== EventSource.CONNECTING) open();
  }, REOPEN_MS);
  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => event.persisted && open());
}
