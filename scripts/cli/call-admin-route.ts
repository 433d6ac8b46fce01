/** Calls of commands to the admin routes of a running server. */

import { readAnswer, send } from "../../adapters/admin/call-admin.ts";
import { workspaceHeader } from "../../src/http/workspace.ts";
import { accessHeaders } from "./api-key.ts";
import type { ApiKeyOptions } from "./api-key.ts";
import { callServer, serverUrl } from "./call-server.ts";

export interface AdminCallOptions extends ApiKeyOptions {
  /** Left out: the only one there is. */
  readonly workspace?: string;
}

/** A GET, or with a body a POST. @throws FeatureError as the server does. */
export async function callAdminRoute<Answer>(
  options: AdminCallOptions,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const headers = {
    ...accessHeaders(options),
    ...(options.workspace !== undefined && { [workspaceHeader]: options.workspace }),
  };
  const admin = { baseUrl: serverUrl(options.url), fetch: callServer, headers };
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  return (await readAnswer(await send(admin, path, init))) as Answer;
}
