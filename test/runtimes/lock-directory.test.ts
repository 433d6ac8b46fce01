import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { serveNode } from "../../adapters/runtimes/node.ts";
import { startBoundProcess } from "../builders/bound-process.ts";
import * as features from "./features.ts";

const directory = mkdtempSync(join(tmpdir(), "tilemark-lock-"));
const program = join(import.meta.dirname, "../../scripts/regions/region-process.ts");

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

test("a directory serves one process at a time, and the next once that has ended", async () => {
  const first = await serveNode(features, { directory });
  await expect(serveNode(features, { directory })).rejects.toThrow(
    `Cannot use directory "${directory}": another process serves from it`,
  );
  await first.close();
  const other = await startBoundProcess([process.execPath, program, directory]);
  await other.written("Listening", 30_000);
  await expect(serveNode(features, { directory })).rejects.toThrow(
    "another process serves from it",
  );
  other.signal("SIGKILL");
  await other.ended;
  const last = await serveNode(features, { directory });
  await last.close();
});

test("a home that is no address is refused; a slash at its end does not matter", async () => {
  const options = { directory: ":memory:" };
  for (const home of ["", "127.0.0.1:8787", "ftp://127.0.0.1", "http://"]) {
    await expect(serveNode(features, { ...options, home })).rejects.toThrow(
      `Cannot follow home "${home}": it is no address`,
    );
  }
  const home = await serveNode(features, options);
  const region = await serveNode(features, { ...options, home: `${home.url}/` });
  const status = async () => (await fetch(`${region.url}/region`)).json();
  await expect.poll(status, { timeout: 10_000 }).toMatchObject({ stale: false });
  await region.close();
  await home.close();
});
