/** Replies of Redis as answers over HTTP: JSON, JSON with strings in base64, or RESP2 as it is. */

import { BadRequest } from "./read-command.ts";

/** What the client of Redis gives: an error may stand within an array too. */
export type Reply = Buffer | number | null | Error | RefusedReply | readonly Reply[];

/** What the bridge says itself. */
export interface RefusedReply {
  readonly error: string;
}

export type ReplyFormat = "text" | "base64" | "resp2";

/** @throws BadRequest for a format that is none, or two at once. */
export function readFormat(headers: Headers): ReplyFormat {
  const isBase64 = headers.get("upstash-encoding") === "base64";
  const wanted = headers.get("upstash-response-format") ?? "json";
  if (wanted !== "json" && wanted !== "resp2") {
    throw new BadRequest("ERR the response format is neither json nor resp2");
  }
  if (wanted === "resp2" && isBase64) throw new BadRequest("ERR resp2 is not encoded as base64");
  if (wanted === "resp2") return "resp2";
  return isBase64 ? "base64" : "text";
}

export function isRefused(reply: Reply): reply is RefusedReply {
  return errorOf(reply) !== null && !(reply instanceof Error);
}

/** The answer to one command: an error is a bad request. */
export function writeReply(format: ReplyFormat, reply: Reply): Response {
  const status = errorOf(reply) === null ? 200 : 400;
  if (format === "resp2") return respAnswer([reply], status);
  return Response.json(resultOf(format, reply), { status });
}

/** The answer to several: each has its own result or error. */
export function writeReplies(format: ReplyFormat, replies: readonly Reply[]): Response {
  if (format === "resp2") return respAnswer(replies, 200);
  return Response.json(replies.map((reply) => resultOf(format, reply)));
}

function resultOf(format: ReplyFormat, reply: Reply): object {
  const error = errorOf(reply);
  return error === null ? { result: jsonOf(format, reply) } : { error };
}

function jsonOf(format: ReplyFormat, reply: Reply): unknown {
  if (reply === null || typeof reply === "number") return reply;
  if (isBytes(reply)) {
    return format === "base64" && !isOk(reply) ? reply.toString("base64") : reply.toString();
  }
  if (isList(reply)) return reply.map((each) => jsonOf(format, each));
  return errorOf(reply);
}

function respAnswer(replies: readonly Reply[], status: number): Response {
  const body = new Uint8Array(Buffer.concat(replies.flatMap(respOf)));
  return new Response(body, { status, headers: { "content-type": "application/octet-stream" } });
}

function respOf(reply: Reply): Buffer[] {
  if (reply === null) return [Buffer.from("$-1\r\n")];
  if (typeof reply === "number") return [Buffer.from(`:${reply}\r\n`)];
  if (isBytes(reply)) {
    if (isOk(reply)) return [Buffer.from("+OK\r\n")];
    return [Buffer.from(`$${reply.length}\r\n`), reply, Buffer.from("\r\n")];
  }
  if (isList(reply)) return [Buffer.from(`*${reply.length}\r\n`), ...reply.flatMap(respOf)];
  return [Buffer.from(`-${errorOf(reply)}\r\n`)];
}

function errorOf(reply: Reply): string | null {
  if (reply instanceof Error) return reply.message;
  return reply !== null && typeof reply === "object" && "error" in reply ? reply.error : null;
}

function isBytes(reply: Reply): reply is Buffer {
  return Buffer.isBuffer(reply);
}

function isList(reply: Reply): reply is readonly Reply[] {
  return Array.isArray(reply);
}

function isOk(reply: Buffer): boolean {
  return reply.length === 2 && reply.toString() === "OK";
}
