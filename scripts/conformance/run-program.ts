/** Runs the programs of a client: first those that install it, then the one that asks. */

import { execFile } from "node:child_process";
import { promisify, stripVTControlCharacters } from "node:util";

/** Whom a client asks. */
export interface ClientPlan {
  /**
   * Servers by what is the matter with each: `well`; `guarded`, which asks for keys; `broken`, `away`
   * and `silent` by their stores; `hanging`, where nothing gives up before the request does.
   */
  readonly urls: Readonly<Record<string, string>>;
  /** Of the one that asks for them, by what each may do. */
  readonly keys: Readonly<Record<string, string>>;
}

/** What a client did. */
export interface ClientRun {
  readonly client: string;
  readonly cases: readonly CaseResult[];
  /** Why it asked for nothing; null where it did. */
  readonly leftOut: string | null;
}

export interface CaseResult {
  readonly name: string;
  /** Null where there is none. */
  readonly problem: string | null;
}

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly input?: string;
}

const outputBytesMax = 16 * 2 ** 20;
const programMsMax = 300_000;
const reasonCharactersMax = 300;

/** What it printed. @throws Error where it cannot be started, or ends with another code than 0. */
export async function runProgram(
  directory: string,
  { command, args, input = "" }: Program,
): Promise<string> {
  const running = promisify(execFile)(command, [...args], {
    cwd: directory,
    maxBuffer: outputBytesMax,
    timeout: programMsMax,
  });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** Runs one program after the other. Why there is no client then; null where there is one. */
export async function install(
  directory: string,
  programs: readonly Program[],
): Promise<string | null> {
  for (const program of programs) {
    try {
      await runProgram(directory, program);
    } catch (error) {
      return reasonOf(program.command, error);
    }
  }
  return null;
}

/** Each line is one case. */
export function readCases(output: string): readonly CaseResult[] {
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as CaseResult);
}

function reasonOf(command: string, error: unknown): string {
  const { code, stderr = "", stdout = "" } = error as ProgramFailure;
  if (code === "ENOENT") return `${command} is not here`;
  const lines = stripVTControlCharacters(`${stdout}\n${stderr}`)
    .split("\n")
    .filter((line) => /error/i.test(line));
  return `${command} failed: ${(lines[0] ?? String(error)).trim().slice(0, reasonCharactersMax)}`;
}

interface ProgramFailure {
  readonly code?: unknown;
  readonly stdout?: string;
  readonly stderr?: string;
}
