// Somebody waits in the lobby: say so in the title and with a sound until they are let in, or until silenced.

const CHIME_EVERY_MS = 15000;
const KEY = "lobby-sound-off";

const title = document.title;
const silence = document.querySelector("[data-silence]");
let isSilent = sessionStorage.getItem(KEY) === "yes";
let audio;
let rangAt = -Infinity;

function waiting() {
  return document.querySelector("[data-waiting]")?.dataset.waiting ?? "";
}

function tone(at, frequency) {
  const oscillator = audio.createOscillator();
  const volume = audio.createGain();
  oscillator.frequency.value = frequency;
  volume.gain.setValueAtTime(0.0001, at);
  volume.gain.exponentialRampToValueAtTime(0.15, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.4);
  oscillator.connect(volume).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + 0.45);
}

function ring() {
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume(); // browsers wait for a click on the page
  tone(audio.currentTime, 660);
  tone(audio.currentTime + 0.25, 880);
  rangAt = performance.now();
}

function update() {
  const who = waiting();
  document.title = who ? `● ${who}` : title;
  if (silence) {
    silence.hidden = !who && !isSilent;
    silence.setAttribute("aria-pressed", String(isSilent));
  }
  if (who && !isSilent && performance.now() - rangAt >= CHIME_EVERY_MS) ring();
  if (!who) rangAt = -Infinity;
}

silence?.addEventListener("click", () => {
  isSilent = !isSilent;
  sessionStorage.setItem(KEY, isSilent ? "yes" : "no");
  update();
});
document.addEventListener("htmx:afterSwap", update);
setInterval(update, 1000);
update();

// In Epic's frame the window that opens has cookies of its own, so that the page itself remembers the choice.
const YEAR_SECONDS = 365 * 24 * 3600;
document.addEventListener("submit", (event) => {
  const chosen = event.target.matches("[data-ways]") && event.submitter?.value;
  if (chosen) {
    document.cookie = `__Host-open=${chosen}; Path=/; Secure; SameSite=None; Partitioned; Max-Age=${YEAR_SECONDS}`;
  }
});
