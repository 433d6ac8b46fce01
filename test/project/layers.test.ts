import { expect, test } from "vitest";
import { findLayerViolations, layers } from "./layers.ts";
import { readProjectFiles, selectTypeScript } from "./source-files.ts";

test("findLayerViolations() finds none in this project", () => {
  const files = selectTypeScript(readProjectFiles(), ["src", "adapters", "scripts", "test"]);
  expect(files.length).toBeGreaterThan(layers.length);
  expect(findLayerViolations(files)).toEqual([]);
});

const forbidden: readonly [path: string, text: string, reason: string][] = [
  ["src/core/a.ts", 'import { b } from "../tile/b.ts";', "core stands above tile"],
  ["src/core/a.ts", 'import { b } from "msgpackr";', "core imports nothing"],
  ["src/tile/a.ts", 'import type { B } from "../serve/b.ts";', "tile stands above serve"],
  ["src/tile/a.ts", 'export * from "../serve/b.ts";', "tile stands above serve"],
  ["src/tile/a.ts", 'const b = await import("../serve/b.ts");', "tile stands above serve"],
  ["src/tile/a.ts", 'let b: import("../serve/b.ts").B;', "tile stands above serve"],
  ["src/tile/deep/a.ts", 'import "../../ui/b.ts";', "tile stands above ui"],
  ["src/tile/a.ts", "const b = await import(name);", "src names its imports"],
  ["src/tile/a.ts", 'import { b } from "./b";', "a relative import ends in .ts or .json"],
  ["src/tile/a.ts", 'import { b } from "../index.ts";', "built from all of them"],
  ["src/http/a.ts", 'import { b } from "node:fs";', "src runs on every host"],
  ["src/http/a.ts", 'import { b } from "fs/promises";', "src runs on every host"],
  ["src/http/a.ts", 'import { b } from "cloudflare:workers";', "src runs on every host"],
  ["src/http/a.ts", 'const b = require("node:fs");', "src runs on every host"],
  ["src/index.ts", 'import { b } from "../adapters/stores/b.ts";', "src imports from src alone"],
  ["src/ui/a.ts", 'import { b } from "../../scripts/cli/b.ts";', "src imports from src alone"],
  ["src/client/a.ts", 'import { b } from "../http/b.ts";', "client imports types only"],
  ["adapters/stores/a.ts", 'import { b } from "../logs/b.ts";', "only adapters/runtimes"],
  ["adapters/stores/a.ts", 'import "../../scripts/b.ts";', "adapters import from src alone"],
];

test.each(forbidden)("findLayerViolations() names in %s: %s", (path, text, reason) => {
  const violations = findLayerViolations([{ path, text: `/** Why. */\n\n${text}\n` }]);
  expect(violations).toHaveLength(1);
  expect(violations[0]).toContain(`${path}:3 imports`);
  expect(violations[0]).toContain(reason);
});

const allowed: readonly [path: string, text: string][] = [
  ["src/serve/a.ts", 'import { b } from "../core/b.ts";'],
  ["src/serve/a.ts", 'import { b } from "./deep/b.ts";'],
  ["src/aggregate/deep/a.ts", 'import { b } from "../../core/b.ts";'],
  ["src/define/a.ts", 'import * as z from "zod/mini";'],
  ["src/index.ts", 'export { b } from "./ui/b.ts";'],
  ["src/client/a.ts", 'import type { B } from "../http/b.ts";'],
  ["src/core/a.ts", '// import { b } from "../ui/b.ts";\nconst b = \'import "../ui/b.ts"\';'],
  ["adapters/stores/a.ts", 'import { b } from "../../src/store/b.ts";'],
  ["adapters/runtimes/a.ts", 'import { b } from "../stores/b.ts";'],
  ["scripts/cli/a.ts", 'import { b } from "../../adapters/logs/b.ts";'],
];

test.each(allowed)("findLayerViolations() lets %s have: %s", (path, text) => {
  expect(findLayerViolations([{ path, text }])).toEqual([]);
});

test("findLayerViolations() names a folder of src that is not a layer", () => {
  const violations = findLayerViolations([{ path: "src/common/a.ts", text: "" }]);
  expect(violations).toEqual([expect.stringContaining('"common", which is not a layer')]);
});
