/** Routes under `/admin` for regions that follow this one. */

import { Hono } from "hono";
import * as z from "zod/mini";
import { msgpackType } from "./admin-codec.ts";
import { findShard } from "./find-shard.ts";
import { parseEnvelope } from "./parse-envelope.ts";
import { writeFeedItems, writeFollowAnswer } from "./region-codec.ts";
import type { HttpEnv } from "./request-clock.ts";
import { homeOf } from "./workspace.ts";

export function regionRoutes(): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .get("/published", async (c) => c.json(await homeOf(c.var.workspace).publisher.published()))
    .get("/feed", async (c) => {
      const { feed, afterSeq } = parseEnvelope(feedSchema, c.req.query());
      const items = await homeOf(c.var.workspace).publisher.feed({
        feed,
        afterSeq: Number(afterSeq),
      });
      return c.body(writeFeedItems(items), 200, { "content-type": msgpackType });
    })
    .get("/follow", async (c) => {
      const { shard, afterSeq } = parseEnvelope(followSchema, c.req.query());
      const page = await findShard(homeOf(c.var.workspace), shard).follow(Number(afterSeq));
      const answer = { ...page, nowMs: c.var.nowMs };
      return c.body(writeFollowAnswer(answer), 200, { "content-type": msgpackType });
    });
}

const text = z.string("a string");
const digits = z.string("an integer").check(z.regex(/^\d{1,16}$/, "an integer"));
const feedSchema = z.object({ feed: text, afterSeq: digits }, "an object");
const followSchema = z.object({ shard: text, afterSeq: digits }, "an object");
