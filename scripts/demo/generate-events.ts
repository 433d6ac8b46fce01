/**
 * Purchases of an invented shop, from a seed: few customers and products make most of the lines,
 * days have a rhythm, many lines share an instant, some lines come late, some are returns.
 */

export interface GeneratedLine {
  readonly LineId: string;
  readonly InvoiceNo: string;
  readonly StockCode: string;
  readonly Quantity: number;
  readonly InvoiceDate: string;
  readonly UnitPrice: number;
  readonly CustomerID: string | null;
  readonly Country: string;
}

export interface GenerateOptions {
  readonly seed: number;
  readonly lineCount: number;
  /** The lines lie in the days before this instant. */
  readonly endMs: number;
  readonly days: number;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
const customerCount = 800;
const productCount = 400;
const countries = ["United Kingdom", "Germany", "France", "Ireland", "Spain", "Japan"] as const;

/** In the order of arrival: a late line stands hours after the lines of its own time. */
export function generateEvents(options: GenerateOptions): GeneratedLine[] {
  const random = seeded(options.seed);
  const lines: { readonly arrivesAtMs: number; readonly line: GeneratedLine }[] = [];
  for (let invoice = 0; lines.length < options.lineCount; invoice++) {
    const placedAtMs = invoiceTime(random, options);
    const customer = skewed(random, customerCount);
    const isReturn = random() < 0.03;
    const size = 1 + Math.floor(-Math.log(1 - random()) * 4);
    for (let i = 0; i < size && lines.length < options.lineCount; i++) {
      const isLate = random() < 0.02;
      const arrivesAtMs = placedAtMs + (isLate ? random() * dayMs * 0.5 : random() * minuteMs);
      const line = lineOf({ random, invoice, i, customer, isReturn, placedAtMs });
      lines.push({ arrivesAtMs: Math.min(arrivesAtMs, options.endMs), line });
    }
  }
  return lines.sort((a, b) => a.arrivesAtMs - b.arrivesAtMs).map(({ line }) => line);
}

interface LineParts {
  readonly random: () => number;
  readonly invoice: number;
  readonly i: number;
  readonly customer: number;
  readonly isReturn: boolean;
  readonly placedAtMs: number;
}

function lineOf({ random, invoice, i, customer, isReturn, placedAtMs }: LineParts): GeneratedLine {
  const product = skewed(random, productCount);
  const quantity = 1 + skewed(random, 24);
  return {
    LineId: `${invoice}-${i}`,
    InvoiceNo: `${isReturn ? "C" : ""}${500_000 + invoice}`,
    StockCode: String(20_000 + product),
    Quantity: isReturn ? -quantity : quantity,
    InvoiceDate: new Date(placedAtMs).toISOString(),
    UnitPrice: Math.round(50 + (product % 37) * 35) / 100,
    CustomerID: random() < 0.12 ? null : String(12_000 + customer),
    Country: countries[skewed(random, countries.length)] ?? countries[0],
  };
}

/** Whole minutes, most of them by day, and more towards the end. */
function invoiceTime(random: () => number, { endMs, days }: GenerateOptions): number {
  const daysAgo = days * random() ** 1.3;
  const atMs = endMs - daysAgo * dayMs;
  const hour = (atMs % dayMs) / 3_600_000;
  const isNight = hour < 7 || hour > 21;
  const movedMs = isNight && random() < 0.8 ? atMs - 10 * 3_600_000 : atMs;
  return Math.floor(Math.max(movedMs, endMs - days * dayMs) / minuteMs) * minuteMs;
}

/** An index below `count`; the first ones come up most (a discrete Pareto of exponent 1.1). */
function skewed(random: () => number, count: number): number {
  return Math.floor(count ** (random() ** 1.1)) - 1;
}

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
