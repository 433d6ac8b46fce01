/**
 * The layers: a folder of `src` imports from the folders above it, adapters implement contracts of
 * `src` and never meet each other, and only `adapters/runtimes` wires them together.
 */

import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { listReferences } from "./imports.ts";
import type { ModuleReference } from "./imports.ts";
import type { SourceFile } from "./source-files.ts";

/** From the top: a folder may import from itself and from those before it. */
export const layers: readonly string[] = [
  "core",
  "aggregate",
  "window",
  "define",
  "tile",
  "store",
  "offline",
  "ingest",
  "compact",
  "region",
  "serve",
  "access",
  "registry",
  "observe",
  "http",
  "client",
  "ui",
];

/** One line for every import that the layers forbid. */
export function findLayerViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [
    ...findUnknownLayer(file),
    ...listReferences(file).flatMap((reference) => {
      const reason = judge(file.path, reference);
      if (reason === null) return [];
      return [`${file.path}:${reference.line} imports "${reference.specifier}": ${reason}`];
    }),
  ]);
}

function findUnknownLayer({ path }: SourceFile): string[] {
  const [top, folder, ...rest] = path.split("/");
  if (top !== "src" || rest.length === 0 || layers.includes(folder ?? "")) return [];
  return [`${path} is in "${folder}", which is not a layer: name it in test/project/layers.ts`];
}

function judge(path: string, reference: ModuleReference): string | null {
  const { specifier } = reference;
  const top = path.split("/")[0];
  if (specifier === null) return top === "src" ? "src names its imports" : null;
  if (!specifier.startsWith(".")) return top === "src" ? judgePackage(path, specifier) : null;
  if (!/\.(ts|json)$/.test(specifier)) return "a relative import ends in .ts or .json";
  const target = posix.join(posix.dirname(path), specifier);
  if (top === "src") return judgeFromSrc(path, { ...reference, target });
  if (top === "adapters") return judgeFromAdapter(path, target);
  return null;
}

function judgePackage(path: string, specifier: string): string | null {
  if (isBuiltin(specifier) || /^(node|cloudflare|bun|jsr|npm|https?):/.test(specifier)) {
    return "src runs on every host";
  }
  return folderOf(path) === "core" ? "core imports nothing" : null;
}

function judgeFromSrc(
  path: string,
  { target, typeOnly }: ModuleReference & { readonly target: string },
): string | null {
  if (!target.startsWith("src/")) return "src imports from src alone";
  const from = folderOf(path);
  const to = folderOf(target);
  if (from === null || from === to) return null;
  if (to === null) return "a layer does not import what is built from all of them";
  if (layers.indexOf(to) > layers.indexOf(from)) return `${from} stands above ${to}`;
  return from === "client" && !typeOnly ? "client imports types only" : null;
}

/** What every adapter may use that runs on a host: it wires nothing together. */
const hostClock = "adapters/host-clock.ts";

function judgeFromAdapter(path: string, target: string): string | null {
  const [top, folder] = target.split("/");
  if (top === "src") return null;
  if (top !== "adapters") return "adapters import from src alone";
  const from = path.split("/")[1];
  if (from === "runtimes" || from === folder || target === hostClock) return null;
  return "only adapters/runtimes imports other adapters";
}

/** The layer of a file in `src`; null for one that stands above all of them, as `src/index.ts`. */
function folderOf(path: string): string | null {
  const parts = path.split("/");
  return parts.length > 2 ? (parts[1] ?? null) : null;
}
