// Keeps elapsed times ({% since %}) running. The server gives the age, so a wrong clock on the
// person's device does no harm; without data-age the time in data-since is used.

const firstSeen = new WeakMap();

function ageAtFirstSight(element) {
  if (element.dataset.age) return Number(element.dataset.age);
  return Math.max(0, (Date.now() - Date.parse(element.dataset.since)) / 1000);
}

function ageOf(element) {
  if (!firstSeen.has(element)) {
    firstSeen.set(element, { age: ageAtFirstSight(element), at: performance.now() });
  }
  const { age, at } = firstSeen.get(element);
  return Math.floor(age + (performance.now() - at) / 1000);
}

function twoDigits(number) {
  return String(number).padStart(2, "0");
}

function written(seconds, { style, one = "{} min", many = "{} min" }) {
  const minutes = Math.floor(seconds / 60);
  if (style !== "clock") return (minutes === 1 ? one : many).replace("{}", minutes);
  const hours = Math.floor(minutes / 60);
  const rest = `${twoDigits(seconds % 60)}`;
  return hours ? `${hours}:${twoDigits(minutes % 60)}:${rest}` : `${minutes}:${rest}`;
}

function update() {
  for (const element of document.querySelectorAll("[data-since]")) {
    const text = written(ageOf(element), element.dataset);
    if (element.textContent !== text) element.textContent = text;
  }
}

update();
setInterval(update, 1000);
document.addEventListener("htmx:load", update);
