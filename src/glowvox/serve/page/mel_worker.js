// Computes the spectrogram away from the page's own thread, so that neither typing nor playback waits for it.

import { MelStream } from "./mel.js";

let stream = null;
let take = 0;

self.onmessage = ({ data }) => {
  if (data.kind === "start") {
    stream = new MelStream(data.rate);
    take = data.take;
    return;
  }
  // What was sent for an earlier take may still arrive.
  if (stream === null || data.take !== take) return;
  const frames = data.kind === "finish" ? stream.finish() : stream.push(data.samples);
  if (frames.length > 0) self.postMessage({ take, frames }, [frames.buffer]);
};
