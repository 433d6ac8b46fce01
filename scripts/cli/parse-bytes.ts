/** Reads a size as people write it: `512MB`, `1GB`, `65536`. Powers of 1024. */

const units: Readonly<Record<string, number>> = { "": 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

/** @throws SyntaxError that says the form. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG]?B)?$/i.exec(text.trim());
  const unit = units[(match?.[2] ?? "").toUpperCase().replace(/^B$/, "")];
  if (match === null || unit === undefined) {
    throw new SyntaxError(`Cannot read size "${text}": expected a number with KB, MB or GB`);
  }
  return Math.floor(Number(match[1]) * unit);
}
