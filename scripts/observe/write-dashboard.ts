/** Writes `dashboard.json`, to be imported into Grafana: `npm run dashboard`. */

import { writeFile } from "node:fs/promises";
import { format } from "prettier";
import { buildDashboard } from "./dashboard.ts";

const file = new URL("dashboard.json", import.meta.url).pathname;

await writeFile(file, await format(JSON.stringify(buildDashboard()), { parser: "json" }));
