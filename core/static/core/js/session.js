// Warns before the session ends, keeps it alive while the person is active, and lets them go on with what they
// typed after they have signed in again elsewhere.

const WARN_SECONDS = 120;
const ACTIVE_SECONDS = 60;
// A timer longer than this overflows and fires at once.
const LONGEST_TIMER = 2 ** 31 - 1;

const dialog = document.querySelector("[data-session-seconds]");
const form = dialog?.querySelector("form");
let endsAt = 0;
let canExtend = true;
let lastContact = Date.now();
let timer = 0;

function secondsLeft() {
  return Math.max(0, Math.round((endsAt - Date.now()) / 1000));
}

function show(state) {
  for (const part of dialog.querySelectorAll("[data-session-when]")) {
    part.hidden = part.dataset.sessionWhen !== state;
  }
  if (!dialog.open) dialog.showModal();
}

function countDown() {
  clearTimeout(timer);
  const left = secondsLeft();
  if (left === 0) {
    show("ended");
    return;
  }
  show(canExtend ? "ending" : "last");
  for (const place of dialog.querySelectorAll("[data-session-left]")) {
    place.textContent = left > 90 ? `${Math.ceil(left / 60)} min` : `${left} s`;
  }
  timer = setTimeout(countDown, left > 90 ? 10000 : 1000);
}

function startSession({ seconds, can_extend: extendable = true }) {
  clearTimeout(timer);
  canExtend = extendable;
  endsAt = Date.now() + seconds * 1000;
  timer = setTimeout(countDown, Math.min(LONGEST_TIMER, Math.max(0, seconds - WARN_SECONDS) * 1000));
}

function renewTokens(token) {
  for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token;
  if (document.body.hasAttribute("hx-headers")) {
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  }
}

async function answer(response) {
  const state = response?.ok ? await response.json() : { seconds: 0 };
  if (state.seconds <= 0) return false;
  if (state.token) renewTokens(state.token);
  startSession(state);
  return true;
}

async function extend() {
  lastContact = Date.now();
  const response = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "error" }).catch(() => null);
  return answer(response);
}

async function onSubmit(event) {
  if (event.submitter?.formMethod === "dialog") return;
  event.preventDefault();
  const isBack = event.submitter?.dataset.sessionBack !== undefined;
  const goesOn = isBack ? await answer(await fetch(form.dataset.state).catch(() => null)) : await extend();
  dialog.querySelector("[data-session-failed]").hidden = goesOn;
  if (goesOn) dialog.close();
}

function onActivity() {
  if (!dialog.open && canExtend && secondsLeft() > 0 && Date.now() - lastContact > ACTIVE_SECONDS * 1000) extend();
}

if (dialog) {
  startSession({
    seconds: Number(dialog.dataset.sessionSeconds),
    can_extend: dialog.dataset.sessionFixed === undefined,
  });
  form.addEventListener("submit", onSubmit);
  // Escape would leave the page without its warning; the buttons are the way out.
  dialog.addEventListener("cancel", (event) => { if (secondsLeft() === 0) event.preventDefault(); });
  for (const kind of ["keydown", "pointerdown", "scroll"]) document.addEventListener(kind, onActivity, { passive: true });
}
