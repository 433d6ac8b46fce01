/** Reads the port to listen on: an option, else the environment's, else a free one. */

/** @throws SyntaxError that says the form. */
export function parsePort(option: string | undefined, environment: string | undefined): number {
  const text = option ?? environment ?? "0";
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new SyntaxError(
    `Cannot listen on port "${text}": expected a whole number from 0, which means a free one, to 65535`,
  );
}
