import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { startBoundProcess } from "./bound-process.ts";
import { startRedis } from "./redis-server.ts";
import { runToEnd } from "./runtime-process.ts";

test("startBoundProcess() ends the program when the process that started it is killed", async () => {
  const file = import.meta.resolve("./start-and-die.ts");
  const { code, stdout } = await runToEnd("node", { file, timeoutMs: 20_000 });
  expect(code).toBe(128 + 9);
  const pid = Number(stdout);
  expect(pid).toBeGreaterThan(1);
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 5_000 });
});

test("startBoundProcess() tells its code and all that it wrote", async () => {
  const script = "echo to one; echo to other >&2; exit 7";
  const started = await startBoundProcess(["sh", "-c", script]);
  expect(await started.ended).toBe(7);
  expect(started.output()).toEqual({ stdout: "to one\n", stderr: "to other\n" });
  await started.written("to other", 1_000);
  await expect(started.written("to none", 1_000)).rejects.toThrow("the process ended\nto one");
  await started.stop();
});

test("startBoundProcess() stops a program that does not want to", async () => {
  const started = await startBoundProcess([
    "sh",
    "-c",
    'trap "" TERM; echo up; while :; do sleep 1; done',
  ]);
  await started.written("up", 5_000);
  await expect(started.written("more", 50)).rejects.toThrow("not written within 50 ms");
  await started.stop();
  expect(isRunning(started.pid)).toBe(false);
});

test("startRedis() says what to do where no Redis is installed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tilemark-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ["sh", "cat"]) symlinkSync(`/bin/${name}`, join(folder, name));
  vi.stubEnv("PATH", folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(startRedis()).rejects.toThrow("install it, as by apt-get install redis-server");
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if ((error as { readonly code?: string }).code === "ESRCH") return false;
    throw error;
  }
}
