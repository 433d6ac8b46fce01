/** `tilemark get`: asks a running server for a feature vector and prints it a feature a line. */

import type { Command } from "commander";
import { postJson, serverUrl } from "../call-server.ts";
import { readPairs } from "../read-pairs.ts";
import { vectorLines } from "../vector-lines.ts";
import type { FeatureVector } from "../vector-lines.ts";

interface GetOptions {
  readonly url: string;
  readonly workspace: string;
  readonly key?: readonly string[];
  readonly request?: string;
  readonly json?: boolean;
}

export function addGetCommand(program: Command): void {
  program
    .command("get")
    .description("get a feature vector from a running server")
    .argument("<service>", "name of the feature service")
    .requiredOption("--url <url>", "the running server")
    .option("--workspace <name>", "the workspace", "prod")
    .option("--key <name=value...>", "a join key")
    .option("--request <json>", "the request values, as a JSON object")
    .option("--json", "print the answer as it came")
    .action(async (service: string, options: GetOptions) => {
      const answer = await getFeatures(service, options);
      if (options.json === true) console.log(JSON.stringify(answer));
      else for (const line of vectorLines(answer)) console.log(line);
    });
}

async function getFeatures(service: string, options: GetOptions): Promise<FeatureVector> {
  const params = {
    workspaceName: options.workspace,
    featureServiceName: service,
    joinKeyMap: readPairs(options.key ?? []),
    requestContextMap: requestValues(options.request ?? "{}"),
    metadataOptions: {
      includeNames: true,
      includeEffectiveTimes: true,
      includeServingStatus: true,
      // What prints the answer as it came asks for what it always has.
      ...(options.json !== true && { includeDetails: true }),
    },
  };
  const url = `${serverUrl(options.url)}/api/v1/feature-service/get-features`;
  const response = await postJson(url, { params });
  const body = readAnswer(url, await response.text());
  if ("message" in body) throw new Error(`The server answered ${response.status}: ${body.message}`);
  return body;
}

function readAnswer(url: string, text: string): FeatureVector | { readonly message: string } {
  try {
    return JSON.parse(text) as FeatureVector | { readonly message: string };
  } catch (cause) {
    throw new Error(`Cannot read the answer of ${url}: it is not JSON`, { cause });
  }
}

function requestValues(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(
      `Cannot read --request ${JSON.stringify(text)}: it is not JSON, expected an object such as {"amount": 9.5}`,
      { cause },
    );
  }
}
