/** The modules that a file names, read from its syntax tree: static, type, re-exported and dynamic. */

import ts from "typescript";
import type { SourceFile } from "./source-files.ts";

export interface ModuleReference {
  /** As written, e.g. `../core/bytes.ts`; null where `import()` is given something computed. */
  readonly specifier: string | null;
  /** Nothing of it is left at run time. */
  readonly typeOnly: boolean;
  /** Counted from 1. */
  readonly line: number;
}

/** The references of `file` in the order they stand there. */
export function listReferences(file: SourceFile): ModuleReference[] {
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  const references: ModuleReference[] = [];
  visit(tree);
  return references;

  function visit(node: ts.Node): void {
    const found = readReference(node);
    if (found !== null) {
      const start = tree.getLineAndCharacterOfPosition(node.getStart(tree));
      references.push({ ...found, line: start.line + 1 });
    }
    ts.forEachChild(node, visit);
  }
}

function readReference(node: ts.Node): Omit<ModuleReference, "line"> | null {
  if (ts.isImportDeclaration(node)) {
    const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { specifier: textOf(node.moduleSpecifier), typeOnly };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { specifier: textOf(node.moduleSpecifier), typeOnly: node.isTypeOnly };
  }
  if (ts.isImportTypeNode(node)) {
    const literal = ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
    return { specifier: textOf(literal), typeOnly: true };
  }
  if (ts.isCallExpression(node) && isLoader(node.expression)) {
    return { specifier: textOf(node.arguments[0]), typeOnly: false };
  }
  return null;
}

function isLoader(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  return ts.isIdentifier(callee) && callee.text === "require";
}

function textOf(node: ts.Node | undefined): string | null {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : null;
}
