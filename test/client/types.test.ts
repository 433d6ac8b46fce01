/** The compiler checks `types.test-d.ts`; here handles are seen to hold a name and nothing else. */

import { expect, test } from "vitest";
import { buildTestApp } from "../builders/app.ts";
import { repository } from "../http/features.ts";
import type { fraud, transactions } from "../http/features.ts";
import { nowMs, openWorld } from "./client-world.ts";

test("handles have the types of definitions and nothing of them at run time", () => {
  const { client } = openWorld(buildTestApp(repository, { nowMs }));
  expect(client.service<typeof fraud>("fraud")).toEqual({ name: "fraud" });
  expect(client.source<typeof transactions>("transactions")).toEqual({ name: "transactions" });
});
