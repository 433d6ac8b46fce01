import { expect, test } from "vitest";
import { readProjectFiles, selectTypeScript } from "./source-files.ts";
import { findPlaceViolations, findStyleViolations } from "./style.ts";

const head = "/** What the file is for. */\n\n";

/** Files that show the checkers what is wrong, so they hold it. */
const planted = ["test/project/style.test.ts"];

test("findStyleViolations() finds none in this project", () => {
  const files = selectTypeScript(readProjectFiles(), ["src", "adapters", "scripts", "test"]);
  expect(files.length).toBeGreaterThan(10);
  expect(findStyleViolations(files)).toEqual([]);
});

test("findPlaceViolations() finds none in this project", () => {
  const files = readProjectFiles().filter(({ path }) => !planted.includes(path));
  expect(files.map(({ path }) => path)).toContain("package-lock.json");
  expect(findPlaceViolations(files)).toEqual([]);
});

const wrong: readonly [violation: string, path: string, text: string][] = [
  ['"HyperLog.ts" is not kebab-case', "src/core/HyperLog.ts", head],
  ['"core_parts" is not kebab-case', "src/core_parts/a.ts", head],
  ['"byte-utils.ts" does not say what is in it', "src/core/byte-utils.ts", head],
  ['"helpers" does not say what is in it', "src/helpers/a.ts", head],
  ['"data.ts" does not say what is in it', "src/core/data.ts", head],
  ["401 lines, the cap is 400", "scripts/cli/a.ts", head + "a;\n".repeat(399)],
  ["601 lines, the cap is 600", "test/core/a.test.ts", "a;\n".repeat(601)],
  ["1: the file starts with", "src/core/a.ts", "export const a = 1;\n"],
  ["1: the file starts with a", "src/core/a.ts", "/** What b is. */\nimport { a } from 'a';\n"],
  [
    "1: the file starts with a",
    "src/core/a.ts",
    "/** A b. */\nexport type A = 1;\nexport type B = 1;\n",
  ],
  [
    "1: the file starts with a /** module",
    "src/core/a.ts",
    "/** bytes */\n\nexport const a = 1;\n",
  ],
  ['3: "export default 1;" exports a default', "src/core/a.ts", `${head}export default 1;\n`],
  ["exports a default", "src/core/b.ts", `${head}export default function a() {}\n`],
  ["exports a default", "src/core/c.ts", `${head}export { a as default };\n`],
  ["swallows an error", "src/core/a.ts", `${head}try { a(); } catch {\n  // quiet\n}\n`],
  ["swallows an error", "scripts/cli/b.ts", `${head}await a().catch(() => {});\n`],
  ["swallows an error", "scripts/cli/c.ts", `${head}await a().catch(() => undefined);\n`],
  ["3: a TODO says why it waits", "src/core/a.ts", `${head}// TODO\n`],
  ["4: a TODO says why it waits", "src/core/a.ts", `${head}{\n  a(); // FIXME later\n}\n`],
  ['3: "tileIR" is another', "src/core/a.ts", `${head}const tileIR = 1;\n`],
  ['3: "bucketCount" is another', "src/core/a.ts", `${head}a.bucketCount = 1;\n`],
  ['3: "#accumulator" is another', "src/core/a.ts", `${head}class A { #accumulator = 1 }\n`],
];

test.each(wrong)("findStyleViolations() says %s, of %s", (violation, path, text) => {
  const violations = findStyleViolations([{ path, text }]);
  expect(violations).toHaveLength(1);
  expect(violations[0]).toContain(`${path}:`);
  expect(violations[0]).toContain(violation);
});

const right: readonly [what: string, path: string, text: string][] = [
  ["a citation", "src/core/a.ts", `${head}// Neumaier's superaccumulator; a bucket\n`],
  ["a longer word", "src/core/a.ts", `${head}superaccumulator = "bucket"; first = iris;\n`],
  ["a TODO with a reason", "src/core/a.ts", `${head}// TODO: waits for record version 2\n`],
  ["a TODO in a text", "src/core/a.ts", `${head}a = "// TODO"; b = /"/; c = \`// TODO \${a}\`;\n`],
  [
    "a head with a drawing",
    "src/core/a.ts",
    "/**\n * The laws. They\n *\n *   a ──► b\n */\n\na;\n",
  ],
  ["one documented export", "src/core/a.ts", "/** What a is. */\nexport type A = 1;\n"],
  ["a catch that wraps", "src/core/a.ts", `${head}try { a(); } catch (cause) { b(cause); }\n`],
  ["data in a longer name", "scripts/cli/training-data.ts", head],
  ["a command's first line", "scripts/cli/a.ts", `#!/usr/bin/env node\n${head}a();\n`],
  ["a host's default export", "adapters/runtimes/a.ts", `${head}export default { fetch: a };\n`],
  ["a host's name", "adapters/stores/a.ts", `${head}let store: R2Bucket;\n`],
  ["400 lines", "scripts/cli/a.ts", head + "a;\n".repeat(398)],
];

test.each(right)("findStyleViolations() accepts %s", (_what, path, text) => {
  expect(findStyleViolations([{ path, text }])).toEqual([]);
});

const misplaced: readonly [path: string, text: string, violation: string][] = [
  ["README.md", "see\n/home/someone/notes", "2: names a path of one machine"],
  ["scripts/a.ts", 'open("/root/a")', "1: names a path of one machine"],
  ["a.json", '"C:\\\\Users\\\\someone"', "1: names a path of one machine"],
  [".npmrc", "registry=https://npm-registry.example.com/", "1: names a registry"],
  ["a.md", "from registry.npmjs.org", "1: names a registry"],
  ["package-lock.json", '"resolved": "https://example.com/a.tgz"', "1: is resolved"],
];

test.each(misplaced)("findPlaceViolations() finds the place in %s: %j", (path, text, violation) => {
  expect(findPlaceViolations([{ path, text }])).toEqual([`${path}:${violation}`]);
});

test("findPlaceViolations() lets routes and relative paths be", () => {
  const text =
    "GET /api/v1/home/page\n../work/a\nhttps://example.com/root/a\nconst registry = 1;\n";
  expect(findPlaceViolations([{ path: "src/a.ts", text }])).toEqual([]);
});
