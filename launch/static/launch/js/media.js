// Camera, microphone and sound of this device.

const KINDS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
};

// Returns { stream } or { problem }: refused, missing or failed.
export async function open(constraints) {
  if (!navigator.mediaDevices?.getUserMedia) return { problem: "failed" };
  try {
    return { stream: await navigator.mediaDevices.getUserMedia(constraints) };
  } catch (error) {
    return { problem: KINDS[error.name] ?? "failed" };
  }
}

export function close(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}

// Calls onLevel with the loudness between 0 and 1 for each frame, until the returned function is called.
export function listen(stream, onLevel) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  const samples = new Float32Array(analyser.fftSize);
  context.createMediaStreamSource(stream).connect(analyser);
  let frame = requestAnimationFrame(function measure() {
    analyser.getFloatTimeDomainData(samples);
    onLevel(Math.min(1, Math.max(...samples.map(Math.abs)) * 2));
    frame = requestAnimationFrame(measure);
  });
  return () => {
    cancelAnimationFrame(frame);
    context.close();
  };
}

// Plays two soft tones. Returns false where the browser wants a click first.
export async function chime() {
  const context = new AudioContext();
  await context.resume();
  if (context.state !== "running") return false;
  [523.25, 659.25].forEach((frequency, number) => {
    const begin = context.currentTime + number * 0.35;
    const tone = new OscillatorNode(context, { frequency });
    const volume = new GainNode(context, { gain: 0 });
    volume.gain.setTargetAtTime(0.4, begin, 0.02);
    volume.gain.setTargetAtTime(0, begin + 0.25, 0.1);
    tone.connect(volume).connect(context.destination);
    tone.start(begin);
    tone.stop(begin + 0.9);
    if (number) tone.onended = () => context.close();
  });
  return true;
}
