/**
 * Asks for the features of services. Every request asks for the names and types of the features too:
 * values are positional, answers carry no version, and a service may change between any two of them,
 * so types that were kept from before could turn a value into another one without a sign. A batch
 * tells them once for all of its rows.
 */

import { Batcher } from "./batcher.ts";
import type { Patience } from "./batcher.ts";
import { checkRange } from "./check-range.ts";
import { clientLimits } from "./client-limits.ts";
import type { CallOptions, ClientOptions } from "./client-options.ts";
import { encodeJson, waitOptionsOf } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { readVector, readVectors } from "./read-vectors.ts";
import type { Vector } from "./read-vectors.ts";
import { SeenTokens } from "./seen-tokens.ts";
import { sendRequest } from "./send-request.ts";
import type { HttpRequest } from "./send-request.ts";

export interface Query {
  readonly joinKeys?: object;
  readonly request?: object;
}

/** `{joinKeyMap, requestContextMap}` */
interface Row {
  readonly text: string;
  readonly charactersCount: number;
  /** Whose values must not go back; null where they may. */
  readonly entity: string | null;
}

/** What the rows of a request share. */
interface Head {
  readonly service: string;
  /** `{featureServiceName, workspaceName, metadataOptions}` */
  readonly text: string;
}

const routes = "/api/v1/feature-service";
const seenHeader = "x-tilemark-seen";

export class FeatureReader {
  readonly #connection: Connection;
  readonly #batcher: Batcher<Row, Vector>;
  readonly #seen = new SeenTokens();
  readonly #together: boolean;
  readonly #monotonic: boolean;

  constructor(connection: Connection, { batch = {}, monotonic = false }: ClientOptions) {
    const { windowMs = 0, rowsMax = 100 } = batch === false ? {} : batch;
    checkRange("batch.windowMs", windowMs, { min: 0, max: connection.deadlineMs });
    checkRange("batch.rowsMax", rowsMax, { min: 1, max: clientLimits.batchRowsMax });
    this.#connection = connection;
    this.#together = batch !== false;
    this.#monotonic = monotonic;
    this.#batcher = new Batcher({ clock: connection.sender.clock, windowMs, rowsMax });
  }

  async getFeatures(service: string, query: Query, options: CallOptions = {}): Promise<Vector> {
    const wait = waitOptionsOf(this.#connection, options);
    const { effectiveTimes = false, monotonic = this.#monotonic } = options;
    const row = encodeRow(service, query, monotonic);
    const head = { service, text: this.#encodeHead(service, options) };
    // A batch tells one time for all of its rows, the earliest, and takes no token of one entity.
    const alone = !this.#together || monotonic || effectiveTimes;
    const send = (rows: readonly Row[], patience: Patience) => this.#send(head, rows, patience);
    return this.#batcher.ask({ key: alone ? null : head.text, send }, row, wait);
  }

  #encodeHead(service: string, { effectiveTimes = false, details = false }: CallOptions): string {
    return encodeJson({
      featureServiceName: service,
      workspaceName: this.#connection.workspace,
      metadataOptions: {
        includeNames: true,
        includeDataTypes: true,
        includeServingStatus: true,
        ...(effectiveTimes && { includeEffectiveTimes: true }),
        ...(details && { includeDetails: true }),
      },
    });
  }

  async #send(
    head: Head,
    rows: readonly Row[],
    patience: Patience,
  ): Promise<(index: number) => Vector> {
    const action = `get features of "${head.service}"`;
    const [row] = rows;
    if (row !== undefined && rows.length === 1) {
      const vector = await this.#sendOne(head, row, { action, patience });
      return () => vector;
    }
    const rowsText = rows.map(({ text }) => text).join(",");
    const request = {
      action,
      path: `${routes}/get-features-batch`,
      body: `{"params":${head.text.slice(0, -1)},"requestData":[${rowsText}]}}`,
      repeatable: true,
    };
    const answer = await sendRequest(this.#connection.sender, request, patience);
    return readVectors(answer, rows.length, action);
  }

  async #sendOne(
    head: Head,
    { text, entity }: Row,
    { action, patience }: { readonly action: string; readonly patience: Patience },
  ): Promise<Vector> {
    const request: HttpRequest = {
      action,
      path: `${routes}/get-features`,
      body: `{"params":${head.text.slice(0, -1)},${text.slice(1)}}`,
      ...(entity !== null && { headers: { [seenHeader]: this.#seen.tokenOf(entity) } }),
      repeatable: true,
    };
    const answer = await sendRequest(this.#connection.sender, request, patience);
    const vector = readVector(answer, action);
    const token = answer.headers.get(seenHeader);
    if (entity !== null && token !== null) this.#seen.keep(entity, token);
    return vector;
  }
}

function encodeRow(service: string, { joinKeys = {}, request = {} }: Query, kept: boolean): Row {
  const text = encodeJson({ joinKeyMap: joinKeys, requestContextMap: request });
  const keys = Object.entries(joinKeys).sort(([a], [b]) => (a < b ? -1 : 1));
  const entity = kept ? encodeJson([service, keys]) : null;
  return { text, charactersCount: text.length, entity };
}
