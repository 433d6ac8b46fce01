/** How a line of the Online Retail files, or of the generator, becomes a purchase. */

import type { RawRow, RowPlace } from "../../src/index.ts";

/** Stock codes are five digits and perhaps letters; the others are postage, fees and corrections. */
const productCode = /^\d{5}[A-Za-z]*$/;

/**
 * The line's place in its file is its identity. Customer numbers come as `16353.0` or are missing;
 * a return has a negative quantity, and so a negative amount.
 */
export function mapPurchase(row: RawRow, place: RowPlace | null): RawRow {
  const quantity = Number(row["Quantity"]);
  const unitPrice = Number(row["UnitPrice"]);
  return {
    ts: row["InvoiceDate"],
    line_id: row["LineId"] ?? (place === null ? null : `${place.file}:${place.row}`),
    customer_id: customerOf(row["CustomerID"]),
    stock_code: row["StockCode"],
    country: row["Country"],
    quantity,
    amount: Math.round(quantity * unitPrice * 100) / 100,
  };
}

/** True for a product that was sold or returned at a price, else why the line is left out. */
export function isProduct(row: RawRow): true | string {
  if (typeof row["stock_code"] !== "string" || !productCode.test(row["stock_code"])) {
    return "not a product: postage, fees, corrections";
  }
  return row["amount"] === 0 ? "no price" : true;
}

function customerOf(value: unknown): string | null {
  if (typeof value !== "string" || value === "") return null;
  return value.replace(/\.0$/, "");
}
