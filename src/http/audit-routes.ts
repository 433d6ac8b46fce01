/** `GET /admin/audit`, and what admin routes write into the log that it reads. */

import { Hono } from "hono";
import type { Context } from "hono";
import * as z from "zod/mini";
import type { AuditAction } from "../access/audit-log.ts";
import { FeatureError } from "../core/errors.ts";
import { parseEnvelope } from "./parse-envelope.ts";
import type { HttpEnv } from "./request-clock.ts";
import { homeOf } from "./workspace.ts";

/** `{entries: [{seq, atMs, actor, action, object, result, prev}], head: {seq, hash}}`, a page. */
export function auditRoutes(): Hono<HttpEnv> {
  return new Hono<HttpEnv>().get("/audit", async (c) => {
    const { after = "0" } = parseEnvelope(auditSchema, c.req.query());
    return c.json(await homeOf(c.var.workspace).access.audit(Number(after)));
  });
}

export interface AuditedAct {
  readonly action: AuditAction;
  readonly object: string;
}

/** Does something and writes down that it was done, or refused, before it is answered. */
export async function audited<T>(
  c: Context<HttpEnv>,
  { action, object }: AuditedAct,
  act: () => Promise<T>,
): Promise<T> {
  const { access } = homeOf(c.var.workspace);
  const record = (result: string) =>
    access.record({ actor: c.var.principal.id, action, object, result }, c.var.startedAtMs);
  let result = "ok";
  try {
    return await act();
  } catch (error) {
    result = error instanceof FeatureError ? error.code : "INTERNAL";
    throw error;
  } finally {
    await record(result);
  }
}

const auditSchema = z.object(
  { after: z.optional(z.string("an integer").check(z.regex(/^\d{1,15}$/, "an integer"))) },
  "an object",
);
