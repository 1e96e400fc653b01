// Server-sent events out of the body of a POST, which EventSource cannot make.

/** @param {ReadableStream<Uint8Array>} body @yields {object} the JSON of each event */
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let data = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines.map((one) => one.replace(/\r$/, ""))) {
        if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
        else if (line === "" && data.length > 0) {
          const payload = data.join("\n");
          data = [];
          if (payload !== "[DONE]") yield JSON.parse(payload);
        }
      }
    }
  } finally {
    // Whoever stops reading stops the synthesis, too.
    await reader.cancel().catch(() => {});
  }
}

/** @param {string} base64 @returns {Uint8Array} */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
