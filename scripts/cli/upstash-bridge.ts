/** The REST protocol of Upstash over a Redis of one's own: for development without an account. */

import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import type { Context, Next } from "hono";
import { bodyLimit } from "hono/body-limit";
import { Redis } from "ioredis";
import { causeText } from "./error-text.ts";
import { BadRequest, readCommand, readCommands, readPath } from "./upstash-bridge/read-command.ts";
import { runCommand, runPipeline, runTransaction } from "./upstash-bridge/run-commands.ts";
import { isRefused, readFormat, writeReplies, writeReply } from "./upstash-bridge/write-reply.ts";
import type { Reply } from "./upstash-bridge/write-reply.ts";

export interface UpstashBridgeOptions {
  /** As `redis://127.0.0.1:6379`. */
  readonly redisUrl: string;
  /** What every request has to show. */
  readonly token: string;
  /** 0 or left out: a free one. */
  readonly port?: number;
}

export interface UpstashBridge {
  /** Without a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

const requestBytesMax = 10_000_000;
const methods = new Set(["GET", "HEAD", "POST", "PUT"]);

/**
 * Resolves when the bridge answers. Listens on 127.0.0.1 alone.
 *
 * Of the real service it lacks server-sent events (`/subscribe`, `/monitor`), and it tells no status
 * but `OK` from a string: a reply of `PONG` is encoded like a value.
 */
export async function startUpstashBridge(options: UpstashBridgeOptions): Promise<UpstashBridge> {
  const redis = new Redis(options.redisUrl, {
    protocol: 2,
    // A command that was under way when the connection broke may have run: its caller decides.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 1,
  });
  let lost: unknown = null;
  // Its commands reject as well, but say less.
  redis.on("error", (error) => {
    lost = error;
  });
  const server = createAdaptorServer({ fetch: bridgeApp(redis, options.token).fetch }) as Server;
  server.listen(options.port ?? 0, "127.0.0.1");
  try {
    await once(server, "listening");
    await redis.ping();
  } catch (error) {
    const isListening = server.listening;
    redis.disconnect();
    server.close();
    const cause = lost ?? error;
    const state = isListening ? `no Redis answers at ${addressOf(redis)}` : "it got no port";
    throw new Error(`Cannot start the bridge: ${state}: ${causeText(cause)}`, { cause });
  }
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      redis.disconnect();
    },
  };
}

/** Not the URL: that may hold a password. */
function addressOf({ options }: Redis): string {
  return options.path ?? `${options.host}:${options.port}`;
}

function bridgeApp(redis: Redis, token: string): Hono {
  const app = new Hono();
  let answers = 0;
  app.use(async (context, next) => {
    await next();
    // One Redis has no replicas, so that the token only has to be there and to change.
    answers += 1;
    context.res.headers.set("upstash-sync-token", `T${answers}`);
  });
  app.use((context, next) => authorize(context, token, next));
  app.use(async (context, next) => {
    if (methods.has(context.req.method)) return next();
    return context.json({ error: "ERR method is not allowed" }, 405);
  });
  app.use(
    bodyLimit({
      maxSize: requestBytesMax,
      onError: (context) => context.json({ error: "ERR max request size exceeded" }, 400),
    }),
  );
  app.post("/pipeline", (context) => answerPipeline(redis, context));
  app.post("/multi-exec", (context) => answerTransaction(redis, context));
  app.all("/", (context) => answerBody(redis, context));
  app.all("*", (context) => answerPath(redis, context));
  app.onError((error, context) => {
    if (error instanceof BadRequest) return context.json({ error: error.message }, 400);
    return context.json({ error: "ERR the Redis behind the bridge does not answer" }, 500);
  });
  return app;
}

async function authorize(context: Context, token: string, next: Next): Promise<Response | void> {
  const bearer = /^Bearer (.+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
  const shown = bearer ?? context.req.query("_token");
  if (shown === undefined || !isSameText(shown, token)) {
    return context.json({ error: "Unauthorized" }, 401);
  }
  return next();
}

/** Takes as long whichever character is wrong. */
function isSameText(first: string, second: string): boolean {
  const [a, b] = [first, second].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

async function answerBody(redis: Redis, context: Context): Promise<Response> {
  const format = readFormat(context.req.raw.headers);
  const reply = await runCommand(redis, readCommand(await context.req.text()));
  return writeReply(format, reply);
}

async function answerPath(redis: Redis, context: Context): Promise<Response> {
  const format = readFormat(context.req.raw.headers);
  const body = new Uint8Array(await context.req.arrayBuffer());
  const reply: Reply = await runCommand(redis, readPath(new URL(context.req.url), body));
  return writeReply(format, reply);
}

async function answerPipeline(redis: Redis, context: Context): Promise<Response> {
  const format = readFormat(context.req.raw.headers);
  return writeReplies(format, await runPipeline(redis, readCommands(await context.req.text())));
}

async function answerTransaction(redis: Redis, context: Context): Promise<Response> {
  const format = readFormat(context.req.raw.headers);
  if (format === "resp2") throw new BadRequest("ERR multi-exec answers JSON alone");
  const replies = await runTransaction(redis, readCommands(await context.req.text()));
  return isRefused(replies) ? writeReply(format, replies) : writeReplies(format, replies);
}
