import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { DuckDBConnection } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { post, startDemoProcess } from "./server-process.ts";
import type { ServerProcess } from "./server-process.ts";

const root = new URL("../..", import.meta.url).pathname;
const retail = join(root, "../shared/data/online-retail");

/** Lines that the demo takes, by what their files say: none of the demo's own code is asked. */
const linesSql = `SELECT
    regexp_replace(CustomerID, '\\.0$', '') AS customer, StockCode AS product, Country AS country,
    CAST(Quantity AS BIGINT) AS quantity, round(CAST(Quantity AS BIGINT) * CAST(UnitPrice AS DOUBLE), 2) AS amount,
    epoch_ms(CAST(InvoiceDate AS TIMESTAMP)) AS ts
  FROM read_csv('${retail}/*.csv', all_varchar = true, header = true)
  WHERE regexp_full_match(StockCode, '[0-9]{5}[A-Za-z]*')
    AND round(CAST(Quantity AS BIGINT) * CAST(UnitPrice AS DOUBLE), 2) <> 0`;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** For each answer the SQL of its value, over the lines from its window's start to its lead. */
const checks = [
  {
    service: "checkout",
    feature: "customer_spend.amount_sum_30d_5m",
    sql: "sum(amount)",
    windowMs: 30 * dayMs,
  },
  {
    service: "checkout",
    feature: "customer_spend.amount_mean_30d_5m",
    sql: "avg(amount)",
    windowMs: 30 * dayMs,
  },
  {
    service: "checkout",
    feature: "customer_spend.amount_max_30d_5m",
    sql: "max(amount)",
    windowMs: 30 * dayMs,
  },
  {
    service: "checkout",
    feature: "customer_spend.amount_count_lifetime_5m",
    sql: "count(*)",
    windowMs: Infinity,
  },
  {
    service: "checkout",
    feature: "customer_spend.quantity_min_7d_5m",
    sql: "min(quantity)",
    windowMs: 7 * dayMs,
  },
  {
    service: "checkout",
    feature: "customer_products.stock_code_count_10m_continuous",
    sql: "count(*)",
    windowMs: 10 * 60_000,
  },
  {
    service: "merchandising",
    feature: "product_sales.quantity_sum_7d_1h_sawtooth",
    sql: "sum(quantity)",
    windowMs: 7 * dayMs,
  },
  {
    service: "merchandising",
    feature: "product_sales.quantity_stddev_pop_7d_1h_sawtooth",
    sql: "stddev_pop(quantity)",
    windowMs: 7 * dayMs,
  },
  {
    service: "merchandising",
    feature: "country_sales.amount_sum_7d_1d",
    sql: "sum(amount)",
    windowMs: 7 * dayMs,
  },
  {
    service: "merchandising",
    feature: "country_sales.customer_id_count_7d_1d",
    sql: "count(customer)",
    windowMs: 7 * dayMs,
  },
] as const;

// The files are no part of the project: where they are not beside it there is nothing to run.
describe.skipIf(!existsSync(retail))("npm start over Online Retail", () => {
  let server: ServerProcess;
  let connection: DuckDBConnection;
  let state: string;

  beforeAll(async () => {
    state = await mkdtemp(join(tmpdir(), "tilemark-retail-"));
    server = await startDemoProcess(["--no-keys", "--events", retail, "--state", state]);
    connection = await (await DuckDBInstance.create(":memory:")).connect();
    await connection.run(`CREATE TABLE lines AS ${linesSql}`);
  }, 180_000);

  afterAll(async () => {
    await server.stop();
    connection.closeSync();
    await rm(state, { recursive: true, force: true });
  });

  test("prints row counts that add up, reason by reason", async () => {
    const numbers = (line: string) =>
      [...line.matchAll(/[\d,]+\d|\d/g)].map(([text]) => Number(text.replaceAll(",", "")));
    const summary = server.lines.find((line) => line.startsWith("read ")) ?? "";
    const [read, loaded, skipped] = numbers(summary);
    const reasons = server.lines.filter((line) => /^ {2}skipped \d/.test(line));
    const byReason = reasons.reduce((sum, line) => sum + (numbers(line)[0] ?? 0), 0);
    const [rows] = await query(
      `SELECT count(*) FROM read_csv('${retail}/*.csv', all_varchar = true, header = true)`,
    );
    const [taken] = await query("SELECT count(*) FROM lines");
    expect(reasons.length).toBeGreaterThan(0);
    expect({ read, loaded, skipped }).toEqual({ read: rows, loaded: taken, skipped: byReason });
    expect(loaded).toBe((read ?? 0) - byReason);
  });

  test("says where its clock stands, and ends with the curl line", () => {
    expect(server.lines.join("\n")).toContain(
      "server's clock stands just past the newest one: 2011-11-30T17:",
    );
    expect(server.lines.at(-1)).toMatch(
      /^curl -s http:\/\/127\.0\.0\.1:\d+\/api\/v1\/feature-service\/get-features -d '/,
    );
  });

  test.each(checks)(
    "$feature equals SQL over the same files",
    async ({ service, feature, sql, windowMs }) => {
      const keys = await busiestKeys();
      const { value, effectiveMs } = await ask(service, feature, keys);
      const column = feature.startsWith("customer")
        ? "customer"
        : feature.startsWith("product")
          ? "product"
          : "country";
      const isSawtooth = feature.endsWith("_sawtooth");
      const startMs = effectiveMs - windowMs;
      const fromMs = isSawtooth ? startMs - (startMs % hourMs) : startMs;
      const from = Number.isFinite(fromMs) ? `ts >= ${fromMs} AND` : "";
      const [expected] = await query(
        `SELECT ${sql} FROM lines WHERE ${from} ts < ${effectiveMs} AND ${column} = '${keys[column]}'`,
      );
      expect(expected, "the window holds something").not.toBe(0);
      expect(value).toBeCloseTo(expected as number, 6);
    },
  );

  async function query(sql: string): Promise<number[]> {
    const result = await connection.runAndReadAll(sql);
    return result.getRows()[0]?.map(Number) ?? [];
  }

  /** Of the last day, so that every window holds something. */
  async function busiestKeys(): Promise<{ customer: string; product: string; country: string }> {
    const busiest = async (column: string) => {
      const result = await connection.runAndReadAll(
        `SELECT ${column} FROM lines WHERE ${column} IS NOT NULL AND ts > (SELECT max(ts) FROM lines) - 600000
         GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1`,
      );
      return String(result.getRows()[0]?.[0]);
    };
    return {
      customer: await busiest("customer"),
      product: await busiest("product"),
      country: "United Kingdom",
    };
  }

  async function ask(
    service: string,
    feature: string,
    keys: { readonly customer: string; readonly product: string; readonly country: string },
  ): Promise<{ readonly value: number; readonly effectiveMs: number }> {
    const params = {
      workspaceName: "prod",
      featureServiceName: service,
      joinKeyMap:
        service === "checkout"
          ? { customer_id: keys.customer }
          : { stock_code: keys.product, country: keys.country },
      requestContextMap: service === "checkout" ? { basket_amount: 1, basket_items: "1" } : {},
      metadataOptions: { includeNames: true, includeEffectiveTimes: true },
    };
    const answer = await post(`${server.url}/api/v1/feature-service/get-features`, { params });
    expect(answer.status).toBe(200);
    const { result, metadata } = answer.body as {
      readonly result: { readonly features: readonly unknown[] };
      readonly metadata: {
        readonly features: readonly { readonly name: string; readonly effectiveTime?: string }[];
      };
    };
    const index = metadata.features.findIndex(({ name }) => name === feature);
    return {
      value: Number(result.features[index]),
      effectiveMs: Date.parse(metadata.features[index]?.effectiveTime ?? ""),
    };
  }
});
