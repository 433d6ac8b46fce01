/** The REST protocol of Upstash over a real Redis of its own. */

import { startUpstashBridge } from "../../scripts/cli/upstash-bridge.ts";
import { startRedis } from "./redis-server.ts";
import type { RedisServer } from "./redis-server.ts";

export interface UpstashOnRedis {
  readonly redis: RedisServer;
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

export async function startUpstashOnRedis(): Promise<UpstashOnRedis> {
  const token = "token-of-a-test";
  const redis = await startRedis();
  try {
    const bridge = await startUpstashBridge({ redisUrl: redis.url, token });
    const close = async () => {
      await bridge.close();
      await redis.stop();
    };
    return { redis, url: bridge.url, token, close };
  } catch (error) {
    await redis.stop();
    throw error;
  }
}
