/** What every operation of the store works with. */

import type { DuckdbEngine } from "./duckdb-engine.ts";
import type { Layout } from "./layout.ts";

export interface StoreParts {
  readonly engine: DuckdbEngine;
  readonly layout: Layout;
}
