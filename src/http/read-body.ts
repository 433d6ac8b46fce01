/** Reads a request's body up to a maximum, whatever its headers say of it. */

import { FeatureError } from "../core/errors.ts";
import { requireShallow } from "./require-shallow.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** @throws FeatureError TOO_LARGE as soon as the body is known to be past `bytesMax`. */
export async function readBody(
  request: Request,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) throw tooLarge(bytesMax);
  const reader = request.body?.getReader();
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  while (reader !== undefined) {
    const { done, value } = await readChunk(reader);
    if (done) break;
    byteCount += value.length;
    if (byteCount > bytesMax) {
      await reader.cancel();
      throw tooLarge(bytesMax);
    }
    chunks.push(value);
  }
  return concatenate(chunks, byteCount);
}

/** The body as JSON, whatever its content type. @throws FeatureError when it is not. */
export async function readJson(request: Request, bytesMax: number): Promise<unknown> {
  const bytes = await readBody(request, bytesMax);
  if (bytes.length === 0) throw invalid("its body is empty, expected JSON");
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw invalid("its body is not UTF-8, expected JSON", cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // The parser's own text holds a piece of the body.
    throw invalid("its body is not JSON", cause);
  }
  requireShallow(value);
  return value;
}

type Chunk = ReadableStreamReadResult<Uint8Array<ArrayBuffer>>;

async function readChunk(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): Promise<Chunk> {
  try {
    return await reader.read();
  } catch (cause) {
    throw invalid("its body ended early", cause);
  }
}

function concatenate(chunks: readonly Uint8Array[], byteCount: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteCount);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function tooLarge(bytesMax: number): FeatureError {
  return new FeatureError(
    "TOO_LARGE",
    `Cannot read request: its body has more than ${bytesMax} bytes, expected at most that many`,
  );
}

function invalid(problem: string, cause?: unknown): FeatureError {
  return new FeatureError("INVALID_REQUEST", `Cannot read request: ${problem}`, { cause });
}
