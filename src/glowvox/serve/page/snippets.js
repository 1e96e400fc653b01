// The request on the page as commands that do the same elsewhere. The key itself is never written into them.

/** @typedef {{base: string, body: object, secured: boolean}} Call */

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** @param {Call} call */
export function curl({ base, body, secured }) {
  const file = { ...body, response_format: "wav" };
  return [
    `curl --fail-with-body ${shell(`${base}/audio/speech`)} \\`,
    ...(secured ? ['  -H "Authorization: Bearer $GLOWVOX_API_KEY" \\'] : []),
    "  -H 'Content-Type: application/json' \\",
    `  -d ${shell(JSON.stringify(file, null, 2).replaceAll("\n", "\n  "))} \\`,
    "  -o speech.wav",
  ].join("\n");
}

/** Python's string literals read JSON's. @param {Call} call */
export function python({ base, body, secured }) {
  const { model, voice, input, speed, ...rest } = body;
  const key = secured ? 'os.environ["GLOWVOX_API_KEY"]' : '"none"';
  const literal = (value) => JSON.stringify(value);
  const extra = Object.entries(rest).map(([name, value]) => `${literal(name)}: ${literal(value)}`).join(", ");
  return [
    ...(secured ? ["import os", ""] : []),
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${literal(base)}, api_key=${key})`,
    "with client.audio.speech.with_streaming_response.create(",
    `    model=${literal(model)},`,
    `    voice=${literal(voice)},`,
    `    input=${literal(input)},`,
    ...(speed === undefined ? [] : [`    speed=${speed},`]),
    '    response_format="wav",',
    ...(extra === "" ? [] : [`    extra_body={${extra}},`]),
    ") as response:",
    '    response.stream_to_file("speech.wav")',
  ].join("\n");
}

/** For Node and other places without a browser; what a page would do with it, it knows best. @param {Call} call */
export function javascript({ base, body, secured }) {
  const key = secured ? ["    Authorization: `Bearer ${process.env.GLOWVOX_API_KEY}`,"] : [];
  const literal = JSON.stringify({ ...body, response_format: "wav" }, null, 2).replaceAll("\n", "\n  ");
  return [
    'import { writeFile } from "node:fs/promises";',
    "",
    `const response = await fetch(${JSON.stringify(`${base}/audio/speech`)}, {`,
    '  method: "POST",',
    "  headers: {",
    '    "Content-Type": "application/json",',
    ...key,
    "  },",
    `  body: JSON.stringify(${literal}),`,
    "});",
    "if (!response.ok) throw new Error(await response.text());",
    'await writeFile("speech.wav", Buffer.from(await response.arrayBuffer()));',
  ].join("\n");
}
