/** `tilemark delete`: hides an entity at once and for good; compactions take its rows away. */

import type { Command } from "commander";
import { accessHeaders, addApiKeyOption } from "../api-key.ts";
import type { ApiKeyOptions } from "../api-key.ts";
import { postJson, serverUrl } from "../call-server.ts";
import { readPairs } from "../read-pairs.ts";

interface DeleteOptions extends ApiKeyOptions {
  readonly key: readonly string[];
}

export function addDeleteCommand(program: Command): void {
  addApiKeyOption(program.command("delete"))
    .description("delete an entity for good: from every answer now, from every record and log soon")
    .argument("<entity>", "name of the entity's definition")
    .requiredOption("--url <url>", "the running server")
    .requiredOption("--key <name=value...>", "a join key of the entity")
    .action(async (entity: string, { key, ...options }: DeleteOptions) => {
      const url = serverUrl(options.url);
      const response = await postJson(
        `${url}/admin/delete`,
        { entity, joinKeyMap: readPairs(key) },
        accessHeaders({ ...options, url }),
      );
      const text = await response.text();
      if (!response.ok) throw new Error(`The server answered ${response.status}: ${text}`);
      console.log(
        `Deleted: no answer holds this ${entity} any more; the next compaction of each view`,
      );
      console.log("takes its rows and records away");
    });
}
