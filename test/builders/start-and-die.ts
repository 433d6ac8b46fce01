/** Starts a program that runs for long, prints its pid, and is then killed as a test may be. */

import { writeSync } from "node:fs";
import { startBoundProcess } from "./bound-process.ts";

const started = await startBoundProcess(["sleep", "600"]);
writeSync(1, `${started.pid}\n`);
process.kill(process.pid, "SIGKILL");
