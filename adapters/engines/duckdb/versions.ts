/**
 * Files that are replaced while others read them: the next version of a file is put beside it and
 * counts from then on; then the one before is taken away. No name is ever given to other bytes, so
 * whoever still reads the version before finds it whole or gone.
 *
 *   {name}.parquet      {name}~1.parquet      {name}~2.parquet
 */

const versionPattern = /^(?<base>.*?)(?:~(?<version>\d+))?\.parquet$/;

interface Version {
  readonly base: string;
  readonly version: number;
}

/** The names of the files that count; what has no versions counts. */
export function listCurrent(names: readonly string[]): readonly string[] {
  const newest = newestVersions(names);
  return names.filter((name) => isNewest(name, newest));
}

/** The names of files that a later version among them has replaced. */
export function listSuperseded(names: readonly string[]): readonly string[] {
  const newest = newestVersions(names);
  return names.filter((name) => !isNewest(name, newest));
}

/** The name of the version after. */
export function nextVersion(name: string): string {
  const { base, version } = versionOf(name) ?? { base: name, version: 0 };
  return `${base}~${version + 1}.parquet`;
}

/** Whether a later version of a file is among the names. */
export function isSuperseded(name: string, names: readonly string[]): boolean {
  return !isNewest(name, newestVersions(names));
}

function newestVersions(names: readonly string[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const name of names) {
    const found = versionOf(name);
    if (found === null) continue;
    newest.set(found.base, Math.max(newest.get(found.base) ?? 0, found.version));
  }
  return newest;
}

function isNewest(name: string, newest: ReadonlyMap<string, number>): boolean {
  const found = versionOf(name);
  return found === null || found.version >= (newest.get(found.base) ?? 0);
}

function versionOf(name: string): Version | null {
  const groups = versionPattern.exec(name)?.groups;
  if (groups === undefined) return null;
  return { base: groups["base"] ?? "", version: Number(groups["version"] ?? 0) };
}
