/** A process that ends when the one that started it does, however that ends. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";

export interface BoundProcess {
  readonly pid: number;
  /** What it has written to its two channels so far. */
  output(): { readonly stdout: string; readonly stderr: string };
  /** Resolves once its output holds a text. Rejects with the output if it ends before. */
  written(text: string, timeoutMs: number): Promise<void>;
  /** Its exit code, as a shell tells it: 128 and the signal where one ended it. */
  readonly ended: Promise<number>;
  signal(name: NodeJS.Signals): void;
  /** Asks it to end, and kills it if it does not within seconds. */
  stop(): Promise<void>;
}

export interface BoundProcessOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
}

const stopMsMax = 5_000;

/**
 * Its own parent is a shell whose input is a pipe from here. The pipe ends with this process, also
 * where that was killed, and then the shell kills the program.
 */
const guard = `
trap "" INT HUP
exec 4<&0
"$@" 3>&- 4<&- </dev/null &
child=$!
echo $child >&3
exec 3>&-
{ cat <&4; kill -9 $child; } >/dev/null 2>&1 &
watcher=$!
exec 4<&-
wait $child
code=$?
kill -9 $watcher
exit $code`;

/** @throws Error where the program ends before it has begun, as one that is not installed. */
export async function startBoundProcess(
  command: readonly string[],
  options: BoundProcessOptions = {},
): Promise<BoundProcess> {
  const shell = spawn("sh", ["-c", guard, "sh", ...command], {
    env: { ...process.env, ...options.environment },
    cwd: options.directory,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const channel of ["stdout", "stderr"] as const) {
    shell[channel].setEncoding("utf8");
    shell[channel].on("data", (text: string) => (output[channel] += text));
  }
  const ended = once(shell, "exit").then(([code]) => {
    shell.stdin.destroy();
    return Number(code);
  });
  const closed = once(shell, "close");
  const pid = Number(await firstText(shell.stdio[3] as Readable));
  let isEnded = false;
  void ended.then(() => (isEnded = true));

  function signal(name: NodeJS.Signals): void {
    if (!isEnded) process.kill(pid, name);
  }

  return {
    pid,
    output: () => ({ ...output }),
    written: (text, timeoutMs) =>
      untilWritten(text, { shell, output, closed: closed.then(() => undefined), timeoutMs }),
    // What it wrote last is there when it has ended.
    ended: ended.then(async (code) => closed.then(() => code)),
    signal,
    stop: async () => {
      signal("SIGTERM");
      const timer = setTimeout(() => signal("SIGKILL"), stopMsMax);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function firstText(stream: Readable): Promise<string> {
  const [chunk] = (await once(stream, "data")) as [Buffer];
  return chunk.toString();
}

interface Watched {
  readonly shell: { readonly stdout: Readable; readonly stderr: Readable };
  readonly output: { readonly stdout: string; readonly stderr: string };
  readonly closed: Promise<void>;
  readonly timeoutMs: number;
}

async function untilWritten(text: string, watched: Watched): Promise<void> {
  const { shell, output, closed, timeoutMs } = watched;
  const isWritten = () => output.stdout.includes(text) || output.stderr.includes(text);
  const channels = [shell.stdout, shell.stderr];
  await new Promise<void>((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      for (const channel of channels) channel.off("data", look);
      settle();
    };
    const fail = (what: string) => {
      const { stdout, stderr } = output;
      end(() => reject(new Error(`Cannot wait for "${text}": ${what}\n${stdout}${stderr}`)));
    };
    const look = () => {
      if (isWritten()) end(resolve);
    };
    const timer = setTimeout(() => fail(`not written within ${timeoutMs} ms`), timeoutMs);
    for (const channel of channels) channel.on("data", look);
    void closed.then(() => (isWritten() ? end(resolve) : fail("the process ended")));
    look();
  });
}
