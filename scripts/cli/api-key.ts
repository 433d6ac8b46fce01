/** The API key that a command sends: given, or the one that this machine's servers made for themselves. */

import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { keyHeaders } from "../../adapters/admin/call-admin.ts";
import { apiKeyId, newApiKey } from "../../src/access/api-key.ts";

/** What commands that call a server have in common. */
export interface ApiKeyOptions {
  readonly url: string;
  readonly apiKeyFile?: string;
}

/** Where the key of servers on this machine is, below the directory they are started in. */
export const developmentKeyFile = join(".tilemark", "development-key");

export function addApiKeyOption(command: Command): Command {
  return command.option(
    "--api-key-file <file>",
    `a file with the key to send; TILEMARK_API_KEY, else ${developmentKeyFile} for this machine`,
  );
}

/**
 * The headers that give access: none where there is no key to be found. The key of this machine's
 * servers is sent to no other.
 *
 * @throws an error for a file that cannot be read.
 */
export function accessHeaders({
  url,
  apiKeyFile,
}: ApiKeyOptions): Readonly<Record<string, string>> {
  if (apiKeyFile !== undefined) return keyHeaders(readFileSync(apiKeyFile, "utf8").trim());
  const given = process.env["TILEMARK_API_KEY"];
  if (given !== undefined && given !== "") return keyHeaders(given);
  return isThisMachine(url) ? keyHeaders(findDevelopmentKey(process.cwd())) : {};
}

/** The key of servers that are started from here: made once, for its owner's eyes alone. */
export function developmentKey(): string {
  const known = readKey(developmentKeyFile);
  if (known !== undefined) return known;
  const { key } = newApiKey((count) => randomBytes(count));
  mkdirSync(dirname(developmentKeyFile), { recursive: true });
  const written = `${developmentKeyFile}.${process.pid}`;
  writeFileSync(written, key, { mode: 0o600, flag: "wx" });
  try {
    // Of two that start at once, one key stays, and is whole.
    linkSync(written, developmentKeyFile);
    return key;
  } catch (error) {
    const other = readKey(developmentKeyFile);
    if (other === undefined) throw error;
    return other;
  } finally {
    rmSync(written);
  }
}

/** In this directory or one above it. */
function findDevelopmentKey(directory: string): string | undefined {
  const found = readKey(join(directory, developmentKeyFile));
  const parent = resolve(directory, "..");
  return found ?? (parent === directory ? undefined : findDevelopmentKey(parent));
}

function readKey(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  if (apiKeyId(text) !== null) return text;
  throw new Error(`Cannot read key "${file}": it holds none, delete it for a new one to be made`);
}

function isThisMachine(url: string): boolean {
  const { hostname } = new URL(url);
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
