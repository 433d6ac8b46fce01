/** `tilemark key`: API keys, made offline or in the key book of a running server. */

import { randomBytes } from "node:crypto";
import { Command, Option } from "commander";
import { newApiKey } from "../../../src/access/api-key.ts";
import { scopes } from "../../../src/access/principal.ts";
import { sha256Hex } from "../../../src/access/sha256.ts";
import { addApiKeyOption } from "../api-key.ts";
import { callAdminRoute } from "../call-admin-route.ts";
import type { AdminCallOptions } from "../call-admin-route.ts";

interface GrantOptions {
  readonly name: string;
  readonly scope: readonly string[];
  readonly service?: readonly string[];
}

interface NewOptions extends GrantOptions {
  readonly workspace: string;
}

interface CreateOptions extends GrantOptions, AdminCallOptions {
  readonly description?: string;
  readonly requestsPerSecond?: string;
  readonly burst?: string;
  readonly expires?: string;
}

interface ListedKey {
  readonly id: string;
  readonly name: string;
  readonly grants: readonly { readonly scopes: readonly string[]; readonly services: unknown }[];
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly secrets: readonly { readonly id: string; readonly expiresAt: string | null }[];
}

type IssuedKey = ListedKey & { readonly key: string };

export function addKeyCommand(program: Command): void {
  program
    .command("key")
    .description("make, list, rotate and revoke API keys")
    .addCommand(newCommand())
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(rotateCommand())
    .addCommand(revokeCommand());
}

function newCommand(): Command {
  return new Command("new")
    .description("make a key on this machine: an operator's, or one to list in a configuration")
    .option("--name <name>", "what it is called", "operator")
    .addOption(
      new Option("--scope <scope...>", "what it may do; left out, it is an operator's")
        .choices(scopes)
        .default([]),
    )
    .option("--service <name...>", "the services it may read; every one if left out")
    .option("--workspace <name>", "the workspace it is for", "prod")
    .action(async ({ name, scope, service = [], workspace }: NewOptions) => {
      const { id, key } = newApiKey((count) => randomBytes(count));
      const sha256 = await sha256Hex(key);
      console.log(`key     ${key}`);
      console.log(`sha256  ${sha256}`);
      if (scope.length === 0) {
        console.log("Keep the key; give a server its SHA-256 as TILEMARK_ADMIN_KEY_SHA256");
        return;
      }
      const services = service.length === 0 ? "all" : service;
      const grants = [{ workspace, scopes: scope, services }];
      console.log("Keep the key; list this among the keys of a server's configuration:");
      console.log(JSON.stringify({ id, name, grants, secrets: [{ sha256 }] }));
    });
}

function createCommand(): Command {
  return addServerOptions(new Command("create"))
    .description("create a key in a server's key book; it is printed once")
    .requiredOption("--name <name>", "what it is called")
    .addOption(
      new Option("--scope <scope...>", "what it may do").choices(scopes).makeOptionMandatory(),
    )
    .option("--service <name...>", "the services it may read; every one if left out")
    .option("--description <text>", "what it is for")
    .option("--requests-per-second <number>", "how many requests it may make")
    .option("--burst <number>", "how many of them at once; a second's worth if left out")
    .option("--expires <instant>", "when it ends, as 2027-01-01T00:00:00Z")
    .action(async (options: CreateOptions) => {
      const { name, scope, service, description, expires } = options;
      printIssued(
        await callAdminRoute<IssuedKey>(options, "keys/create", {
          name,
          grants: [{ scopes: scope, services: service ?? "all" }],
          rateLimit: rateLimitOf(options),
          description,
          expiresAt: expires,
        }),
      );
    });
}

function listCommand(): Command {
  return addServerOptions(new Command("list"))
    .description("list the keys of a server's key book, without their secrets")
    .action(async (options: AdminCallOptions & { readonly json?: boolean }) => {
      const answer = await callAdminRoute<{ readonly keys: readonly ListedKey[] }>(options, "keys");
      if (options.json === true) console.log(JSON.stringify(answer));
      else for (const key of answer.keys) console.log(keyLine(key));
    })
    .option("--json", "print the answer as it came");
}

function rotateCommand(): Command {
  return addServerOptions(new Command("rotate"))
    .description("give a key a second secret; the old one counts until it ends or is revoked")
    .argument("<id>", "the key's id")
    .option("--old-expires <instant>", "when the old secret ends")
    .action(async (id: string, options: AdminCallOptions & { readonly oldExpires?: string }) => {
      const body = { id, oldExpiresAt: options.oldExpires };
      printIssued(await callAdminRoute<IssuedKey>(options, "keys/rotate", body));
    });
}

function revokeCommand(): Command {
  return addServerOptions(new Command("revoke"))
    .description("revoke a key, or one of its secrets: no server takes it after a minute")
    .argument("<id>", "the key's id")
    .option("--secret <id>", "the eight digits of one secret")
    .action(async (id: string, options: AdminCallOptions & { readonly secret?: string }) => {
      const body = { id, secret: options.secret };
      console.log(keyLine(await callAdminRoute<ListedKey>(options, "keys/revoke", body)));
    });
}

function addServerOptions(command: Command): Command {
  return addApiKeyOption(command)
    .requiredOption("--url <url>", "the running server")
    .option("--workspace <name>", "the workspace; the only one if left out");
}

function rateLimitOf({ requestsPerSecond, burst }: CreateOptions): object | undefined {
  if (requestsPerSecond === undefined) return undefined;
  const rate = Number(requestsPerSecond);
  return { requestsPerSecond: rate, burst: Number(burst ?? Math.max(1, rate)) };
}

/** The key first, on a line of its own: it is shown this once. */
function printIssued(issued: IssuedKey): void {
  console.log(issued.key);
  console.log(keyLine(issued));
}

function keyLine({ id, name, grants, expiresAt, revokedAt, secrets }: ListedKey): string {
  const granted = grants.map(({ scopes, services }) => {
    return `${scopes.join(",")} of ${Array.isArray(services) ? services.join(",") : "all services"}`;
  });
  const state =
    revokedAt !== null
      ? `revoked ${revokedAt}`
      : `${expiresAt === null ? "" : `until ${expiresAt}, `}secrets ${secrets
          .map((secret) => {
            return secret.expiresAt === null ? secret.id : `${secret.id} until ${secret.expiresAt}`;
          })
          .join(", ")}`;
  return `${id}  ${name}  ${granted.join("; ")}  ${state}`;
}
