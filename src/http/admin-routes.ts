/** Routes under `/admin`: what a compaction asks of the online side, and repair. */

import { Hono } from "hono";
import * as z from "zod/mini";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { findEntity } from "../compact/burials.ts";
import type { Repository, SourceDefinition } from "../define/definition.ts";
import type { LogRow } from "../store/event-log.ts";
import { entityKey, tombstoneKey } from "../tile/keys.ts";
import {
  msgpackType,
  readAppendRows,
  readPublish,
  writeDeletions,
  writeLogPage,
} from "./admin-codec.ts";
import { audited, auditRoutes } from "./audit-routes.ts";
import { findShard } from "./find-shard.ts";
import { keyRoutes } from "./key-routes.ts";
import type { KeyRoutesParts } from "./key-routes.ts";
import { camelCaseFields, jsonObject, parseEnvelope } from "./parse-envelope.ts";
import { readBody, readJson } from "./read-body.ts";
import { readEntityKeys } from "./read-join-keys.ts";
import { regionRoutes } from "./region-routes.ts";
import type { HttpEnv } from "./request-clock.ts";
import { requireWorkspace } from "./require-workspace.ts";
import { homeOf } from "./workspace.ts";
import type { WorkspacesParts } from "./workspace.ts";

export function adminRoutes(parts: WorkspacesParts & KeyRoutesParts): Hono<HttpEnv> {
  const followed = requireWorkspace(parts, ["follow", "admin"], { atHome: true });
  return new Hono<HttpEnv>()
    .route("/", regionRoutes(followed))
    .use("*", requireWorkspace(parts, ["admin"], { atHome: true }))
    .route("/", runRoutes())
    .route("/", deletionRoutes())
    .route("/", keyRoutes(parts))
    .route("/", auditRoutes())
    .route("/", logRoutes());
}

function runRoutes(): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .post("/start", async (c) => {
      const { views, watermarkMs, rollbackCut, compactor } = parseEnvelope(
        startSchema,
        await readAdminJson(c.req.raw),
      );
      const request = {
        views,
        ...(watermarkMs === undefined ? {} : { watermarkMs }),
        ...(rollbackCut === undefined ? {} : { rollbackCut }),
        ...(compactor === undefined ? {} : { compactor }),
      };
      const action = rollbackCut === undefined ? "publish.start" : "publish.rollback";
      const act = () => homeOf(c.var.workspace).publisher.start(request, c.var.nowMs);
      return c.json(await audited(c, { action, object: views.join(",") }, act));
    })
    .post("/publish", async (c) => {
      const request = readPublish(await readBody(c.req.raw, limits.adminBodyBytesMax));
      refuseRepeats(request.records.map(({ entity }) => entity));
      refuseMore("publish", request.records.length, limits.publishRecordsMax);
      await homeOf(c.var.workspace).publisher.publish(request);
      return c.json({});
    })
    .post("/finish", async (c) => {
      const request = parseEnvelope(finishSchema, await readAdminJson(c.req.raw));
      const act = () => homeOf(c.var.workspace).publisher.finish(request, c.var.nowMs);
      await audited(c, { action: "publish.finish", object: request.view }, act);
      return c.json({});
    })
    .post("/collect", async (c) => {
      const request = parseEnvelope(collectSchema, await readAdminJson(c.req.raw));
      refuseRepeats(request.entities);
      refuseMore("collect", request.entities.length, limits.collectEntitiesMax);
      await homeOf(c.var.workspace).publisher.collect(request, c.var.nowMs);
      return c.json({});
    })
    .post("/finish-collect", async (c) => {
      const request = parseEnvelope(collectCutSchema, await readAdminJson(c.req.raw));
      await homeOf(c.var.workspace).publisher.finishCollect(request, c.var.nowMs);
      return c.json({});
    });
}

function deletionRoutes(): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .post("/delete", async (c) => {
      const { entity: name, joinKeyMap } = parseEnvelope(
        deleteSchema,
        camelCaseFields(await readAdminJson(c.req.raw)),
      );
      const entity = findEntity(c.var.workspace.repository, name);
      const request = { entity: name, joinKeys: readEntityKeys(entity, joinKeyMap) };
      const { cache } = c.var.workspace;
      const act = async () => {
        try {
          await homeOf(c.var.workspace).publisher.delete(request);
        } finally {
          cache?.forget(tombstoneKey(entity, entityKey(request.joinKeys)));
        }
      };
      await audited(c, { action: "entity.delete", object: name }, act);
      return c.json({});
    })
    .get("/home", async (c) => c.json(await homeOf(c.var.workspace).publisher.home()))
    .get("/deletions", async (c) =>
      c.body(writeDeletions(await homeOf(c.var.workspace).publisher.deletions()), 200, {
        "content-type": msgpackType,
      }),
    )
    .post("/finish-deletions", async (c) => {
      const { names } = parseEnvelope(namesSchema, await readAdminJson(c.req.raw));
      await homeOf(c.var.workspace).publisher.finishDeletions(names);
      return c.json({});
    })
    .post("/erase", async (c) => {
      const request = parseEnvelope(eraseSchema, await readAdminJson(c.req.raw));
      refuseRepeats(request.entities);
      refuseMore("erase", request.entities.length, limits.collectEntitiesMax);
      await homeOf(c.var.workspace).publisher.erase(request);
      return c.json({});
    });
}

function logRoutes(): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .get("/now", (c) => c.json(c.var.nowMs))
    .get("/log", async (c) => {
      const { shard, ...range } = parseEnvelope(logSchema, c.req.query());
      const rows = await findShard(homeOf(c.var.workspace), shard).read({
        afterSeq: Number(range.afterSeq),
        epochMax: Number(range.epochMax),
        rowsMax: limits.logPageRowsMax,
      });
      return c.body(writeLogPage(boundPage(rows)), 200, { "content-type": msgpackType });
    })
    .post("/trim", async (c) => {
      const request = parseEnvelope(trimSchema, await readAdminJson(c.req.raw));
      const { shard, epoch, forgetTrimmed = false } = request;
      await findShard(homeOf(c.var.workspace), shard).trim({
        epoch,
        forgetTrimmed,
        nowMs: c.var.nowMs,
      });
      return c.json({});
    })
    .post("/close-before", async (c) => {
      const request = parseEnvelope(closeSchema, await readAdminJson(c.req.raw));
      const { shard, source, beforeMs } = request;
      return c.json(await findShard(homeOf(c.var.workspace), shard).closeBefore(source, beforeMs));
    })
    .post("/append-rows", async (c) => {
      const body = await readBody(c.req.raw, limits.adminBodyBytesMax);
      const { shard, source: name, rows } = readAppendRows(body);
      refuseMore("append", rows.length, limits.appendRowsMax);
      const source = findSource(c.var.workspace.repository, name);
      const entries = rows.map((row) => ({ ...row, source: name, offset: null }));
      const redeliveryHorizonMs = new Map([[name, source.redeliveryHorizonMs]]);
      await findShard(homeOf(c.var.workspace), shard).append(entries, {
        nowMs: c.var.nowMs,
        redeliveryHorizonMs,
      });
      return c.json({});
    })
    .post("/repair", async (c) => {
      const shards = homeOf(c.var.workspace).logs.flatMap(homeOf(c.var.workspace).logShards);
      await Promise.all(shards.map((shard) => shard.repair(c.var.nowMs)));
      return c.json({ shards: shards.map(({ shard }) => shard) });
    });
}

const text = z.string("a string");
const integer = z.number("an integer").check(z.int("an integer"));
const finishFields = { view: text, fence: integer };
const collectFields = { ...finishFields, cut: integer };
const texts = z.array(text, "an array of strings");
const digits = z.string("an integer").check(z.regex(/^\d{1,16}$/, "an integer"));

const compactorSchema = z.object(
  { offlineStore: text, definitions: z.record(z.string("a string"), text, "an object") },
  "an object",
);
const startSchema = z.object(
  {
    views: texts,
    watermarkMs: z.optional(integer),
    rollbackCut: z.optional(integer),
    compactor: z.optional(compactorSchema),
  },
  "an object",
);
const deleteSchema = z.object({ entity: text, joinKeyMap: jsonObject }, "an object");
const closeSchema = z.object({ shard: text, source: text, beforeMs: integer }, "an object");
const namesSchema = z.object({ names: texts }, "an object");
const eraseSchema = z.object({ ...finishFields, entities: texts }, "an object");
const finishSchema = z.object(finishFields, "an object");
const collectCutSchema = z.object(collectFields, "an object");
const collectSchema = z.object({ ...collectFields, entities: texts }, "an object");
const trimSchema = z.object(
  { shard: text, epoch: integer, forgetTrimmed: z.optional(z.boolean("a boolean")) },
  "an object",
);
const logSchema = z.object({ shard: text, afterSeq: digits, epochMax: digits }, "an object");

function readAdminJson(request: Request): Promise<unknown> {
  return readJson(request, limits.adminBodyBytesMax);
}

function refuseRepeats(entities: readonly string[]): void {
  if (new Set(entities).size === entities.length) return;
  throw new FeatureError(
    "INVALID_REQUEST",
    "Cannot read request: it names an entity twice, expected each once",
  );
}

function refuseMore(action: string, count: number, max: number): void {
  if (count <= max) return;
  throw new FeatureError(
    "TOO_LARGE",
    `Cannot ${action} ${count} records in one request: expected at most ${max}`,
  );
}

function findSource({ sources }: Repository, name: string): SourceDefinition {
  const source = sources.get(name);
  if (source?.kind === "streamSource") return source;
  const shown = name.slice(0, limits.nameLengthMax);
  throw new FeatureError("NOT_FOUND", `Cannot append to source "${shown}": it is not defined`);
}

/** As many rows as fit in a page, and always the first: an empty page is the end of the log. */
function boundPage(rows: readonly LogRow[]): readonly LogRow[] {
  let byteCount = 0;
  const end = rows.findIndex(({ body }) => (byteCount += body.length) > limits.logPageBytesMax);
  return end === -1 ? rows : rows.slice(0, Math.max(1, end));
}
