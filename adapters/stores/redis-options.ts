/**
 * Options of ioredis for serving. Its own would keep requests waiting for a server that is away,
 * and would send a write again that the server may have applied: its guard then finds its own work,
 * and is told that another was first.
 */

import type { ClusterOptions, RedisOptions } from "ioredis";
import { limits } from "../../src/core/limits.ts";

/** A server that is back is found again within this time. */
const retryMsMax = 250;

function retryDelayMs(attempt: number): number {
  return Math.min(attempt * 50, retryMsMax);
}

/**
 * For one server. A command fails at once while there is no connection, and is sent once. Listen to
 * the client's "error", where it reports every attempt to connect, and wait for its "ready" before
 * the first request.
 *
 * @example
 * const client = new Redis(url, redisServingOptions);
 * client.on("error", (error) => console.error(String(error)));
 * await new Promise((resolve) => client.once("ready", resolve));
 * const store = new RedisStore(client);
 */
export const redisServingOptions = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 2_000,
  commandTimeout: limits.requestMsMax,
  // A peer that vanished without a word is let go of, and connected to anew.
  socketTimeout: limits.requestMsMax,
  retryStrategy: retryDelayMs,
} as const satisfies RedisOptions;

/**
 * For a Cluster. A redirection is followed, since a server that redirects has applied nothing. A
 * node connects with its first command, and the next ones are refused until it has: so send each
 * one before the first request.
 *
 * @example
 * const client = new Cluster(nodes, { ...redisClusterServingOptions, lazyConnect: true });
 * await client.connect();
 * await Promise.all(client.nodes("master").map((node) => node.ping()));
 * const store = new RedisStore(client, { cluster: true });
 */
export const redisClusterServingOptions = {
  enableOfflineQueue: false,
  clusterRetryStrategy: retryDelayMs,
  // Zero: a command whose connection was lost is not sent again.
  retryDelayOnFailover: 0,
  redisOptions: {
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: limits.requestMsMax,
    socketTimeout: limits.requestMsMax,
  },
} as const satisfies ClusterOptions;
