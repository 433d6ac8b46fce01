/** Runs commands on the connection that all requests share: alone, in a row, or as a transaction. */

import { ReplyError } from "ioredis";
import type { Redis } from "ioredis";
import type { RedisCommand } from "./read-command.ts";
import type { RefusedReply, Reply } from "./write-reply.ts";

/** They would hold up, take over or change the connection, or the server itself. */
const unsupported = new Set(
  `AUTH BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT CLUSTER CONFIG DEBUG
   DISCARD EXEC FAILOVER HELLO MIGRATE MODULE MONITOR MULTI PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT
   READONLY READWRITE REPLICAOF RESET SELECT SHUTDOWN SLAVEOF SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC
   UNSUBSCRIBE UNWATCH WAIT WAITAOF WATCH`.split(/\s+/),
);

/** A reply that is an error is an answer too; it rejects only where Redis does not answer. */
export async function runCommand(redis: Redis, command: RedisCommand): Promise<Reply> {
  return refuse(command) ?? (await send(redis, command));
}

/** Each by itself, in order: others' commands may come between. */
export function runPipeline(redis: Redis, commands: readonly RedisCommand[]): Promise<Reply[]> {
  return Promise.all(commands.map((command) => runCommand(redis, command)));
}

/** All or nothing, unless a command fails as it runs; a refused one is the reply to them all. */
export async function runTransaction(
  redis: Redis,
  commands: readonly RedisCommand[],
): Promise<RefusedReply | readonly Reply[]> {
  const refused = commands.map(refuse).find((reply) => reply !== null);
  if (refused !== undefined) return refused;
  // Written to the connection in one go: nothing of another request comes between.
  const sent = ["MULTI", ...commands, "EXEC"].map((command) =>
    send(redis, typeof command === "string" ? { name: command, parameters: [] } : command),
  );
  const results = (await Promise.all(sent)).at(-1);
  if (Array.isArray(results)) return results as readonly Reply[];
  return results instanceof Error ? { error: results.message } : { error: "ERR it was discarded" };
}

function refuse({ name, parameters }: RedisCommand): RefusedReply | null {
  const command = name.toUpperCase();
  const blocks =
    command.startsWith("XREAD") && parameters.some((text) => /^block$/i.test(String(text)));
  if (!blocks && !unsupported.has(command)) return null;
  return { error: `ERR Command is not available: '${name}'` };
}

async function send(redis: Redis, { name, parameters }: RedisCommand): Promise<Reply> {
  try {
    // In capitals no command is one whose reply the client of Redis would make something else of.
    return (await redis.callBuffer(name.toUpperCase(), [...parameters])) as Reply;
  } catch (error) {
    if (error instanceof ReplyError) return error as Error;
    throw error;
  }
}
