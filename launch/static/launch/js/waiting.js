// The waiting page: the patient sees themselves, and hears when the care team has come.

import { chime, open } from "./media.js";

const view = document.querySelector(".self-view");
const ask = document.querySelector("[data-show-me]");

async function showMe() {
  const { stream } = await open({ video: { facingMode: "user" } });
  ask.hidden = true;
  if (!stream) return;
  view.querySelector("video").srcObject = stream;
  view.hidden = false;
}

async function isAllowed() {
  try {
    return (await navigator.permissions.query({ name: "camera" })).state === "granted";
  } catch {
    return false; // this browser does not tell
  }
}

const isReady = () => Boolean(document.querySelector("[data-care-team]"));
let wasReady = isReady();

document.addEventListener("htmx:afterSettle", () => {
  if (isReady() && !wasReady) {
    chime();
    document.title = `● ${document.title}`;
  }
  wasReady = isReady();
});

if (view && navigator.mediaDevices?.getUserMedia) {
  ask.addEventListener("click", showMe);
  if (await isAllowed()) showMe();
  else ask.hidden = false;
}
