/** The house style as far as a program can judge it and the linter does not: names, heads, words, paths. */

import ts from "typescript";
import type { SourceFile } from "./source-files.ts";

/** A rule yields what is wrong with a file, each as `line: what`, or `what` for the whole file. */
type Rule = (file: SourceFile) => string[];

const linesMax = 400;
const testLinesMax = 600;

/** One line for everything wrong with the TypeScript files given. */
export function findStyleViolations(files: readonly SourceFile[]): string[] {
  return applyRules(files, [
    checkName,
    checkLength,
    checkHead,
    checkDefaultExport,
    checkCatch,
    checkComments,
    checkWords,
  ]);
}

/** One line for every path of a machine and every registry's address; for files of any kind. */
export function findPlaceViolations(files: readonly SourceFile[]): string[] {
  return applyRules(files, [checkPlaces]);
}

function applyRules(files: readonly SourceFile[], rules: readonly Rule[]): string[] {
  return files.flatMap((file) =>
    rules.flatMap((rule) => rule(file).map((what) => `${file.path}:${what}`)),
  );
}

function checkName({ path }: SourceFile): string[] {
  const parts = path.split("/").filter((part) => part !== ".ci");
  return parts.flatMap((part) => {
    const name = part.replace(/(\.(config|test|test-d|bench|d))?\.ts$/, "");
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) return [` "${part}" is not kebab-case`];
    const vague = name === "data" || /(^|-)(utils?|helpers?|managers?)($|-)/.test(name);
    return vague ? [` "${part}" does not say what is in it`] : [];
  });
}

function checkLength({ path, text }: SourceFile): string[] {
  const max = path.startsWith("test/") ? testLinesMax : linesMax;
  const count = text.split("\n").length - 1;
  return count > max ? [` ${count} lines, the cap is ${max}: split it by meaning`] : [];
}

/** The one export of a file without imports may be what the sentence is about, and follow at once. */
function checkHead({ path, text }: SourceFile): string[] {
  if (path.startsWith("test/")) return [];
  const head = /^(#!.*\n+)?\/\*\*(?<sentence>(?:(?!\*\/)[^])+)\*\/\n(?<next>.*)/.exec(text);
  const sentence = head?.groups?.["sentence"]?.replace(/\n \*/g, "").trim() ?? "";
  const next = head?.groups?.["next"] ?? "";
  const alone = next === "" || (/^export /.test(next) && text.match(/^export /gm)?.length === 1);
  if (alone && /^[^a-z].* .*[.:]/s.test(sentence)) return [];
  return ["1: the file starts with a /** module sentence. */ and a blank line"];
}

function checkDefaultExport(file: SourceFile): string[] {
  if (!file.path.startsWith("src/")) return [];
  return findNodes(file, "exports a default", (node) => {
    if (ts.isExportAssignment(node)) return true;
    if (ts.isExportSpecifier(node)) return node.name.text === "default";
    const modifiers = ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined;
    return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) ?? false;
  });
}

function checkCatch(file: SourceFile): string[] {
  return findNodes(file, "swallows an error", (node) => {
    if (ts.isCatchClause(node)) return node.block.statements.length === 0;
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
    const handler = node.arguments[0];
    return node.expression.name.text === "catch" && handler !== undefined && doesNothing(handler);
  });
}

function doesNothing(handler: ts.Expression): boolean {
  if (!ts.isArrowFunction(handler) && !ts.isFunctionExpression(handler)) return false;
  if (ts.isBlock(handler.body)) return handler.body.statements.length === 0;
  const { kind } = handler.body;
  const nothing = ts.isIdentifier(handler.body) && handler.body.text === "undefined";
  return nothing || kind === ts.SyntaxKind.NullKeyword || ts.isVoidExpression(handler.body);
}

function checkComments({ path, text }: SourceFile): string[] {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return listComments(tree).flatMap(({ pos, end }) => {
    if (!/\b(?:TODO|FIXME|XXX)\b(?!: \S+ \S+ \S+)/.test(text.slice(pos, end))) return [];
    return [`${lineAt(tree, pos)}: a TODO says why it waits, in three words or more`];
  });
}

function listComments(tree: ts.SourceFile): ts.CommentRange[] {
  const found = new Map<number, ts.CommentRange>();
  visit(tree);
  return [...found.values()];

  function visit(node: ts.Node): void {
    const children = node.getChildren(tree);
    children.forEach(visit);
    if (children.length > 0 || node.kind === ts.SyntaxKind.JsxText) return;
    const leading = ts.getLeadingCommentRanges(tree.text, node.pos) ?? [];
    const trailing = ts.getTrailingCommentRanges(tree.text, node.end) ?? [];
    for (const range of [...leading, ...trailing]) found.set(range.pos, range);
  }
}

/** Other systems' names for what is a state or a tile here. Longer words that hold them are fine. */
const foreignWords = new Set(["bucket", "buckets", "accumulator", "accumulators", "ir", "irs"]);

/** Names that a host's API dictates. */
const hostNames = new Set(["R2Bucket"]);

function checkWords(file: SourceFile): string[] {
  return findNodes(file, "is another system's word", (node) => {
    if (!ts.isIdentifier(node) && !ts.isPrivateIdentifier(node)) return false;
    if (hostNames.has(node.text)) return false;
    return splitWords(node.text).some((word) => foreignWords.has(word));
  });
}

/** `tileIRBytes` and `TILE_IR_BYTES` are tile, ir, bytes. */
function splitWords(name: string): string[] {
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? [];
  return words.map((word) => word.toLowerCase());
}

const places: readonly [pattern: RegExp, what: string][] = [
  [/(?<![\w.~-])\/(?:home|Users|root|work|mnt)\/\w/, "names a path of one machine"],
  [/\b[A-Z]:\\\\?Users\\/, "names a path of one machine"],
  [/https?:\/\/[^\s"'`)]*(?:registry|artifactory|nexus|verdaccio|pypi)/i, "names a registry"],
  [/\bregistry\.(?:npmjs|yarnpkg|npmmirror)\.\w+/, "names a registry"],
];

function checkPlaces({ path, text }: SourceFile): string[] {
  return text.split("\n").flatMap((line, index) => {
    const found = places.filter(([pattern]) => pattern.test(line)).map(([, what]) => what);
    if (path === "package-lock.json" && /"resolved": "http/.test(line)) found.push("is resolved");
    return [...new Set(found)].map((what) => `${index + 1}: ${what}`);
  });
}

function findNodes(file: SourceFile, what: string, isWrong: (node: ts.Node) => boolean): string[] {
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  visit(tree);
  return found;

  function visit(node: ts.Node): void {
    if (isWrong(node)) {
      const start = node.getStart(tree);
      const [excerpt] = tree.text.slice(start, node.end).split("\n");
      found.push(`${lineAt(tree, start)}: "${excerpt}" ${what}`);
    }
    ts.forEachChild(node, visit);
  }
}

/** Counted from 1. */
function lineAt(tree: ts.SourceFile, position: number): number {
  return tree.getLineAndCharacterOfPosition(position).line + 1;
}
