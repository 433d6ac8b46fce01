/** Waits until a command that serves is told to stop, or can serve no more. */

import type { DevServer } from "./dev-server.ts";

/** Resolves on the first signal to stop. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => {
      resolve();
    });
    process.once("SIGTERM", () => {
      resolve();
    });
  });
}

/** Serves until told to stop, then closes the server. @throws when its workerd has died. */
export async function serveUntilStopped(server: DevServer): Promise<void> {
  const stopped = untilStopped().then(() => "stopped");
  const died = server.died.then(() => "died");
  const end = await Promise.race([stopped, died]);
  await server.close();
  if (end === "died") {
    throw new Error(
      `Cannot go on serving ${server.url}: workerd has died, start the command again`,
    );
  }
}
