/** Commands as requests carry them: JSON arrays in the body, or the parts of the path. */

/** What is wrong with a request, in the words of its answer. */
export class BadRequest extends Error {}

/** A name, then arguments; those that came as a raw body are bytes. */
export interface RedisCommand {
  readonly name: string;
  readonly parameters: readonly (string | Buffer)[];
}

/** `["SET", "key", "value", "EX", 100]` */
export function readCommand(body: string): RedisCommand {
  return commandOf(parseJson(body));
}

/** `[["GET", "a"], ["GET", "b"]]` */
export function readCommands(body: string): RedisCommand[] {
  const parsed = parseJson(body);
  if (!Array.isArray(parsed) || parsed.length === 0) {
    throw new BadRequest("ERR the body is not an array of commands");
  }
  return parsed.map(commandOf);
}

/** `/set/key?EX=100`: the body comes after what the path names, the options of the query last. */
export function readPath(url: URL, body: Uint8Array): RedisCommand {
  const [name = "", ...parameters] = url.pathname.slice(1).split("/").map(decodePart);
  if (name === "") throw new BadRequest("ERR the path names no command");
  const options = [...url.searchParams]
    .filter(([option]) => option !== "_token")
    .flatMap(([option, value]) => (value === "" ? [option] : [option, value]));
  const raw = body.length === 0 ? [] : [Buffer.from(body)];
  return { name, parameters: [...parameters, ...raw, ...options] };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new BadRequest("ERR the body is not JSON", { cause });
  }
}

function commandOf(parsed: unknown): RedisCommand {
  if (!Array.isArray(parsed)) throw new BadRequest("ERR a command is not an array");
  const [name, ...parameters] = parsed.map(textOf);
  if (name === undefined || name === "") throw new BadRequest("ERR a command is empty");
  return { name, parameters };
}

function textOf(parameter: unknown): string {
  if (!["string", "number", "boolean"].includes(typeof parameter)) {
    throw new BadRequest("ERR an argument is neither a string, a number nor a boolean");
  }
  return String(parameter);
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new BadRequest("ERR a part of the path is not percent-encoded", { cause });
  }
}
