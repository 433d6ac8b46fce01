/** Routes under `/admin` for regions that follow this one. */

import { Hono } from "hono";
import type { MiddlewareHandler } from "hono";
import * as z from "zod/mini";
import { writeKeyBook } from "../access/key-book.ts";
import { msgpackType } from "./admin-codec.ts";
import { findShard, shardsOf } from "./find-shard.ts";
import { parseEnvelope } from "./parse-envelope.ts";
import { writeFeedItems, writeFollowAnswer } from "./region-codec.ts";
import type { HttpEnv } from "./request-clock.ts";
import { homeOf } from "./workspace.ts";

/** @param followed - Lets those on who may follow. */
export function regionRoutes(followed: MiddlewareHandler<HttpEnv>): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .get("/published", followed, async (c) =>
      c.json(await homeOf(c.var.workspace).publisher.published()),
    )
    .get("/key-book", followed, async (c) =>
      c.body(writeKeyBook(await homeOf(c.var.workspace).access.keys()), 200, {
        "content-type": "application/json",
      }),
    )
    .get("/shards", followed, (c) => {
      const { log } = parseEnvelope(shardsSchema, c.req.query());
      return c.json(shardsOf(homeOf(c.var.workspace), log).map(({ shard }) => shard));
    })
    .get("/feed", followed, async (c) => {
      const { feed, afterSeq } = parseEnvelope(feedSchema, c.req.query());
      const items = await homeOf(c.var.workspace).publisher.feed({
        feed,
        afterSeq: Number(afterSeq),
      });
      return c.body(writeFeedItems(items), 200, { "content-type": msgpackType });
    })
    .get("/follow", followed, async (c) => {
      const { shard, afterSeq } = parseEnvelope(followSchema, c.req.query());
      const page = await findShard(homeOf(c.var.workspace), shard).follow(Number(afterSeq));
      const answer = { ...page, nowMs: c.var.nowMs };
      return c.body(writeFollowAnswer(answer), 200, { "content-type": msgpackType });
    });
}

const text = z.string("a string");
const digits = z.string("an integer").check(z.regex(/^\d{1,16}$/, "an integer"));
const shardsSchema = z.object({ log: text }, "an object");
const feedSchema = z.object({ feed: text, afterSeq: digits }, "an object");
const followSchema = z.object({ shard: text, afterSeq: digits }, "an object");
