// The way between this device and us: round trip, and speed in both directions.

const PINGS = 6;
const UPLOAD_BYTES = 200_000;
// What Teams wants for a video call between two people, with some room.
const ENOUGH = { rtt_ms: 300, kbps: 600 };

async function timed(send) {
  const begin = performance.now();
  const answer = await send();
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const { byteLength } = await answer.arrayBuffer();
  return { ms: Math.max(1, performance.now() - begin), bytes: byteLength };
}

function median(numbers) {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];
}

function ballast() {
  const bytes = crypto.getRandomValues(new Uint8Array(UPLOAD_BYTES / 4));
  return [...bytes].map((byte) => byte.toString(16).padStart(4, "0")).join("");
}

// Returns { result, measures } with rtt_ms, down_kbps and up_kbps.
export async function measure({ sample, upload, token }) {
  try {
    const trips = [];
    for (let number = 0; number < PINGS; number += 1) {
      trips.push((await timed(() => fetch(`${sample}?empty`, { cache: "no-store" }))).ms);
    }
    const down = await timed(() => fetch(sample, { cache: "no-store" }));
    const body = new URLSearchParams({ token, ballast: ballast() });
    const up = await timed(() => fetch(upload, { method: "POST", body }));
    const measures = {
      rtt_ms: median(trips.slice(1)), // the first one also opened the connection
      down_kbps: (down.bytes * 8) / down.ms,
      up_kbps: (UPLOAD_BYTES * 8) / up.ms,
    };
    const isEnough =
      measures.rtt_ms <= ENOUGH.rtt_ms && Math.min(measures.down_kbps, measures.up_kbps) >= ENOUGH.kbps;
    return { result: isEnough ? "passed" : "poor", measures };
  } catch {
    return { result: "failed", measures: {} };
  }
}
