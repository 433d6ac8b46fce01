import { test } from "vitest";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import { sqliteHandleCases } from "./sqlite-handle-cases.ts";

test.each(sqliteHandleCases)("openNodeSqlite() $name", ({ run }) => run(openNodeSqlite));
