/** The authenticator of an app, which reads the key books of its workspaces through copies. */

import { Authenticator } from "../access/authenticator.ts";
import { keyBookOf, readKeyBook } from "../access/key-book.ts";
import type { KeyBook } from "../access/key-book.ts";
import { RefreshedCopy } from "../access/refreshed-copy.ts";
import type { Copy } from "../access/refreshed-copy.ts";
import type { Clock } from "../core/clock.ts";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { readAccessRecord } from "../tile/access-record.ts";
import { accessKey } from "../tile/keys.ts";
import type { AccessParts, KeyAccess } from "./access.ts";
import type { Workspace } from "./workspace.ts";

export function createAuthenticator(
  { workspaces, clock }: AccessParts,
  { adminKeySha256, keys, tokens, background }: KeyAccess,
): Authenticator {
  const books = new Map<string, RefreshedCopy<KeyBook>>();
  for (const workspace of workspaces.values()) {
    const read = bookReader(workspace, clock);
    if (read === null) continue;
    const copy = new RefreshedCopy({
      name: "key book",
      read,
      clock,
      refreshMs: limits.keyBookRefreshMs,
      freshMs: limits.keyBookFreshMs,
      background,
    });
    books.set(workspace.name, copy);
  }
  return new Authenticator({ adminKeySha256, keys, books, tokens });
}

/** A home has the book itself; a region has what its follower got; others have none. */
function bookReader(
  { home, homes: { region } }: Workspace,
  clock: Clock,
): (() => Promise<Copy<KeyBook>>) | null {
  if (home !== undefined) {
    return async () => {
      const asOfMs = clock.now();
      return { value: keyBookOf(await home.access.keys()), asOfMs };
    };
  }
  if (region === undefined) return null;
  return async () => {
    const [stored] = await region.progress.readMany([accessKey]);
    if (!stored) throw noBook();
    const { asOfMs, book } = readAccessRecord(stored.bytes);
    return { value: readKeyBook(book), asOfMs };
  };
}

function noBook(): FeatureError {
  return new FeatureError(
    "STORE_UNAVAILABLE",
    "Cannot read the key book: this region has not got it from its home yet",
    { retryable: true },
  );
}
