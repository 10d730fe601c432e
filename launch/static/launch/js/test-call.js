// A call from this browser to itself: does WebRTC work here, and how well does it carry picture and sound?

const CONNECT_MS = 8_000;
const CALL_MS = 3_000;
const ENOUGH_FRAMES = 10;
const MOST_LOST = 0.05;

const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function connected(connection) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no connection")), CONNECT_MS);
    connection.addEventListener("connectionstatechange", () => {
      if (!["connected", "failed"].includes(connection.connectionState)) return;
      clearTimeout(timer);
      if (connection.connectionState === "connected") resolve();
      else reject(new Error("no connection"));
    });
  });
}

async function connect(caller, callee) {
  caller.addEventListener("icecandidate", ({ candidate }) => candidate && callee.addIceCandidate(candidate));
  callee.addEventListener("icecandidate", ({ candidate }) => candidate && caller.addIceCandidate(candidate));
  const ready = Promise.all([connected(caller), connected(callee)]);
  await caller.setLocalDescription();
  await callee.setRemoteDescription(caller.localDescription);
  await callee.setLocalDescription();
  await caller.setRemoteDescription(callee.localDescription);
  await ready;
}

async function received(connection) {
  const reports = [...(await connection.getStats()).values()].filter(({ type }) => type === "inbound-rtp");
  const of = (kind) => reports.find((report) => report.kind === kind);
  const sum = (name) => reports.reduce((total, report) => total + (report[name] ?? 0), 0);
  const video = of("video");
  return {
    packets: sum("packetsReceived"),
    measures: {
      packets_lost: Math.max(0, sum("packetsLost")),
      jitter_ms: Math.max(...reports.map((report) => (report.jitter ?? 0) * 1000)),
      ...(video && { frames_per_second: video.framesPerSecond ?? 0, frame_width: video.frameWidth ?? 0 }),
    },
  };
}

function judge({ packets, measures }) {
  if (!packets) return "failed";
  const isSteady = measures.packets_lost <= packets * MOST_LOST;
  const isSmooth = (measures.frames_per_second ?? ENOUGH_FRAMES) >= ENOUGH_FRAMES;
  return isSteady && isSmooth ? "passed" : "poor";
}

// Returns { result, measures } of a call that carries the tracks given.
export async function testCall(tracks) {
  const [caller, callee] = [new RTCPeerConnection(), new RTCPeerConnection()];
  const screen = Object.assign(document.createElement("video"), { muted: true, autoplay: true, playsInline: true });
  callee.addEventListener("track", ({ streams: [stream] }) => (screen.srcObject = stream));
  const stream = new MediaStream(tracks);
  tracks.forEach((track) => caller.addTrack(track, stream));
  try {
    await connect(caller, callee);
    await later(CALL_MS);
    const outcome = await received(callee);
    return { result: judge(outcome), measures: outcome.measures };
  } catch {
    return { result: "failed", measures: {} };
  } finally {
    caller.close();
    callee.close();
    screen.srcObject = null;
  }
}
