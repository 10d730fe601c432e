// The device test: one screen after the other, then a list of what works. The words are in the templates.

import { measure } from "./connection.js";
import { chime, close, listen, open } from "./media.js";
import { testCall } from "./test-call.js";

const ORDER = ["connection", "camera", "microphone", "speaker", "call"];
const SILENCE_MS = 8_000;
const HEARD = 0.12; // a voice at arm's length; the hum of a room stays below

const root = document.querySelector(".device-test");
const { sample, upload, result: address, token, known } = root.dataset;
const results = Object.fromEntries(ORDER.map((name) => [name, "skipped"]));
const measures = {};
const streams = {};

const screenOf = (name) => root.querySelector(`[data-screen="${name}"]`);
const within = (parent, name) => parent.querySelector(`[data-part="${name}"]`);

function showPart(name, part) {
  const screen = screenOf(name);
  for (const other of screen.querySelectorAll(":scope > [data-part]")) other.hidden = other.dataset.part !== part;
  // A heading that has just been announced keeps the focus; after a click it moves on with the page.
  if (document.activeElement?.tagName === "H1") return;
  within(screen, part)?.querySelector("button, a")?.focus({ preventScroll: true });
}

function showScreen(name) {
  for (const other of root.querySelectorAll("[data-screen]")) other.hidden = other.dataset.screen !== name;
  for (const step of root.querySelectorAll("[data-step]")) {
    const place = ORDER.indexOf(step.dataset.step);
    step.className = place < ORDER.indexOf(name) || name === "done" ? "is-done" : step.dataset.step === name ? "is-now" : "";
  }
  const heading = screenOf(name).querySelector("h1:not([hidden])");
  heading.focus();
  window.scrollTo(0, 0);
}

// Waits for a click on one of the screen's buttons and returns what it asks for.
function act(name) {
  return new Promise((resolve) => {
    screenOf(name).addEventListener("click", function clicked(event) {
      const button = event.target.closest("[data-act]");
      if (!button) return;
      this.removeEventListener("click", clicked);
      resolve(button.dataset.act);
    });
  });
}

async function connection() {
  for (;;) {
    showPart("connection", "live");
    const outcome = await measure({ sample, upload, token });
    Object.assign(measures, outcome.measures);
    if (outcome.result === "passed") return "passed";
    showPart("connection", outcome.result);
    if ((await act("connection")) === "keep") return outcome.result;
  }
}

// Opens a device as often as it takes; returns its stream, or how it ended.
async function opened(name, constraints) {
  showPart(name, "ask");
  await act(name);
  for (;;) {
    screenOf(name).inert = true; // the browser is asking; a click beside its question would be lost
    const { stream, problem } = await open(constraints);
    screenOf(name).inert = false;
    if (stream) {
      streams[name] = stream;
      return { stream };
    }
    showPart(name, problem);
    if ((await act(name)) === "keep") return { result: problem === "refused" ? "refused" : "failed" };
  }
}

async function camera() {
  for (;;) {
    const { stream, result } = await opened("camera", { video: { facingMode: "user" } });
    if (result) return result;
    screenOf("camera").querySelector("video").srcObject = stream;
    showPart("camera", "live");
    if ((await act("camera")) === "pass") return "passed";
    close(stream);
    delete streams.camera;
    showPart("camera", "failed");
    if ((await act("camera")) === "keep") return "failed";
  }
}

function heard(stream) {
  const screen = screenOf("microphone");
  const level = screen.querySelector(".level");
  return new Promise((resolve) => {
    const silence = setTimeout(() => (within(screen, "silent").hidden = false), SILENCE_MS);
    let isOver = false;
    const finish = (isHeard) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(silence);
      stop();
      resolve(isHeard);
    };
    let loud = 0;
    const stop = listen(stream, (loudness) => {
      level.value = loudness;
      loud = loudness > HEARD ? loud + 1 : 0;
      if (loud >= 3) finish(true);
    });
    act("microphone").then(() => finish(false));
  });
}

async function microphone() {
  const { stream, result } = await opened("microphone", { audio: true });
  if (result) return result;
  showPart("microphone", "live");
  if (!(await heard(stream))) return "failed";
  showPart("microphone", "heard");
  await act("microphone");
  return "passed";
}

async function speaker() {
  showPart("speaker", "ask");
  for (;;) {
    const wanted = await act("speaker");
    if (wanted === "pass") return "passed";
    if (wanted === "keep") return "failed";
    if (wanted === "start") await chime();
    showPart("speaker", wanted === "fail" ? "failed" : "live");
  }
}

async function call() {
  const wanted = { video: isKnown("camera"), audio: isKnown("microphone") };
  if (wanted.video || wanted.audio) streams.known = (await open(wanted)).stream;
  const tracks = Object.values(streams).flatMap((stream) => stream?.getTracks() ?? []);
  if (!tracks.length) return "skipped";
  const outcome = await testCall(tracks);
  Object.assign(measures, outcome.measures);
  return outcome.result;
}

const isKnown = (name) => known.split(" ").includes(name);

function send() {
  const body = new URLSearchParams({ token, ...results, ...measures });
  return fetch(address, { method: "POST", body, keepalive: true });
}

function summarize() {
  const hasTrouble = Object.values(results).some((result) => !["passed", "skipped"].includes(result));
  for (const element of root.querySelectorAll("[data-when]")) {
    element.hidden = (element.dataset.when === "trouble") !== hasTrouble;
  }
  for (const check of root.querySelectorAll("[data-check]")) {
    for (const outcome of check.querySelectorAll("[data-outcome]")) {
      outcome.hidden = outcome.dataset.outcome !== results[check.dataset.check];
    }
  }
  document.querySelector("[data-skip]")?.remove();
}

async function run() {
  root.hidden = false;
  for (const [name, check] of Object.entries({ connection, camera, microphone, speaker, call })) {
    if (isKnown(name)) {
      results[name] = "passed";
      continue;
    }
    showScreen(name);
    results[name] = await check();
  }
  Object.values(streams).forEach(close);
  summarize();
  showScreen("done");
  await send();
}

run();
