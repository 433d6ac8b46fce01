/** `tilemark openapi`: prints the OpenAPI document of a feature repository. */

import type { Command } from "commander";
import { workspaceDefault } from "../../../src/http/workspace.ts";
import { describeApi } from "../../../src/http/openapi/openapi.ts";
import { loadFeatures } from "../load-features.ts";

interface OpenApiOptions {
  readonly workspace: string;
}

export function addOpenApiCommand(program: Command): void {
  program
    .command("openapi")
    .description("print the OpenAPI document that a server of a feature repository answers with")
    .argument("<file>", "the module that exports the definitions")
    .option("--workspace <name>", "the workspace", workspaceDefault)
    .action(async (file: string, { workspace }: OpenApiOptions) => {
      const { services } = await loadFeatures(file);
      const named = [...services.values()].map((service) => ({ workspace, service }));
      console.log(JSON.stringify(describeApi({ services: named, secured: true }), null, 2));
    });
}
