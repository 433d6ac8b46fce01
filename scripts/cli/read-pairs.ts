/** Reads options such as `--key user_id=17`. */

/** @throws SyntaxError naming the option's text that is not a pair. */
export function readPairs(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new SyntaxError(`Cannot read key "${pair}": expected name=value`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
