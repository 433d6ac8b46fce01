/** An Upstash Redis on this machine: the bridge that speaks its protocol, over a redis-server. */

import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { startRedis } from "./start-redis.ts";
import { startUpstashBridge } from "./upstash-bridge.ts";

export interface LocalUpstashOptions {
  /** As `redis://127.0.0.1:6379`; left out, one is started. */
  readonly redisUrl?: string;
  /** Where one that is started keeps its records. */
  readonly directory: string;
}

export interface LocalUpstash {
  /** What Upstash's own clients read from the environment. */
  readonly variables: {
    readonly UPSTASH_REDIS_REST_URL: string;
    readonly UPSTASH_REDIS_REST_TOKEN: string;
  };
  /** Resolves when a server that was started here has ended. */
  readonly died: Promise<void>;
  close(): Promise<void>;
}

/** Resolves when it answers, on 127.0.0.1 alone. @throws an error that says what is missing. */
export async function startLocalUpstash(options: LocalUpstashOptions): Promise<LocalUpstash> {
  const redis = await openRedis(options);
  const token = randomBytes(24).toString("base64url");
  try {
    const bridge = await startUpstashBridge({ redisUrl: redis.url, token });
    return {
      variables: { UPSTASH_REDIS_REST_URL: bridge.url, UPSTASH_REDIS_REST_TOKEN: token },
      died: redis.ended,
      close: async () => {
        await bridge.close();
        await redis.stop();
      },
    };
  } catch (error) {
    await redis.stop();
    throw error;
  }
}

interface OpenedRedis {
  readonly url: string;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

async function openRedis({ redisUrl, directory }: LocalUpstashOptions): Promise<OpenedRedis> {
  if (redisUrl !== undefined) {
    const never = new Promise<void>(() => undefined);
    return { url: redisUrl, ended: never, stop: () => Promise.resolve() };
  }
  await mkdir(directory, { recursive: true });
  return startRedis(resolve(directory));
}
