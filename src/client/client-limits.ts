/** The client's own maxima: it shares no code with the server, so that apps bundle none of it. */

export const clientLimits = {
  /** Rows of one batch; what the server takes. */
  batchRowsMax: 1_000,
  /** Characters of a batch's rows, of at most three bytes each: within the 4 MiB of a request. */
  batchCharactersMax: 2 ** 20,
  /** Tries of one request after its first. */
  retriesMax: 10,
  /** The longest pause between two tries that no server asked for, in milliseconds. */
  backoffMsMax: 1_000,
  /** Retries that may come at once, however few requests there were before. */
  retryTokensMax: 10,
  /** Entities of which it is remembered what was seen. */
  seenEntitiesMax: 10_000,
} as const;
