/** `tilemark delete`: hides an entity at once and for good; compactions take its rows away. */

import type { Command } from "commander";
import { postJson, serverUrl } from "../call-server.ts";
import { readPairs } from "../read-pairs.ts";

interface DeleteOptions {
  readonly url: string;
  readonly key: readonly string[];
}

export function addDeleteCommand(program: Command): void {
  program
    .command("delete")
    .description("delete an entity for good: from every answer now, from every record and log soon")
    .argument("<entity>", "name of the entity's definition")
    .requiredOption("--url <url>", "the running server")
    .requiredOption("--key <name=value...>", "a join key of the entity")
    .action(async (entity: string, { url, key }: DeleteOptions) => {
      const response = await postJson(`${serverUrl(url)}/admin/delete`, {
        entity,
        joinKeyMap: readPairs(key),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`The server answered ${response.status}: ${text}`);
      console.log(
        `Deleted: no answer holds this ${entity} any more; the next compaction of each view`,
      );
      console.log("takes its rows and records away");
    });
}
