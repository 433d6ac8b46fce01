/** Asks a running server for the feature vector of one entity, as commands are told to. */

import type { Command } from "commander";
import { accessHeaders, addApiKeyOption } from "./api-key.ts";
import type { ApiKeyOptions } from "./api-key.ts";
import { postJson, serverUrl } from "./call-server.ts";
import { readPairs } from "./read-pairs.ts";

/** What commands that ask for a vector have in common. */
export interface AskOptions extends ApiKeyOptions {
  readonly workspace: string;
  readonly key?: readonly string[];
  readonly request?: string;
}

export function addAskOptions(command: Command): Command {
  return addApiKeyOption(command)
    .argument("<service>", "name of the feature service")
    .requiredOption("--url <url>", "the running server")
    .option("--workspace <name>", "the workspace", "prod")
    .option("--key <name=value...>", "a join key")
    .option("--request <json>", "the request values, as a JSON object");
}

/**
 * The body of the answer.
 *
 * @param asked - What else the request's `params` hold.
 * @throws an error for an answer that is not one, with what it says.
 */
export async function askFeatures<Vector extends object>(
  service: string,
  options: AskOptions,
  asked: object,
): Promise<Vector> {
  const params = {
    workspaceName: options.workspace,
    featureServiceName: service,
    joinKeyMap: readPairs(options.key ?? []),
    requestContextMap: requestValues(options.request ?? "{}"),
    ...asked,
  };
  const server = serverUrl(options.url);
  const url = `${server}/api/v1/feature-service/get-features`;
  const response = await postJson(url, { params }, accessHeaders({ ...options, url: server }));
  const body = readAnswer<Vector>(url, await response.text());
  if ("message" in body) throw new Error(`The server answered ${response.status}: ${body.message}`);
  return body;
}

function readAnswer<Vector>(url: string, text: string): Vector | { readonly message: string } {
  try {
    return JSON.parse(text) as Vector | { readonly message: string };
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
