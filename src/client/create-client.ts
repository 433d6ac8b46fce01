/** The client: features of services and records for sources, in the types of their definitions. */

import type { Service } from "../define/service.ts";
import type { Source } from "../define/source.ts";
import type { CallOptions, ClientHost, ClientOptions, IngestOptions } from "./client-options.ts";
import { connect } from "./connection.ts";
import { FeatureReader } from "./feature-reader.ts";
import { ingestRecords } from "./ingest-records.ts";
import type { IngestCounts } from "./ingest-records.ts";
import type {
  FeaturesAnswer,
  FeaturesQuery,
  RecordOf,
  ServiceHandle,
  ServiceRef,
  SourceHandle,
  SourceRef,
} from "./service-call.ts";

export interface Client {
  /**
   * The features of an entity.
   *
   * @throws TilemarkError; the signal's reason where it is aborted.
   * @example
   * const { features } = await client.getFeatures(fraud, {
   *   joinKeys: { user_id: "u1" },
   *   request: { amt: 12.5 },
   * });
   */
  getFeatures<Of extends Service>(
    service: ServiceRef<Of>,
    query: FeaturesQuery<Of>,
    options?: CallOptions,
  ): Promise<FeaturesAnswer<Of>>;
  /**
   * A service by its name, so that an app imports its definition as a type alone.
   *
   * @example const fraud = client.service<typeof definitions.fraud>("fraud");
   */
  service<Of extends Service>(name: Of["name"]): ServiceHandle<Of>;
  /**
   * Sends records of a source; all are taken in, or none.
   *
   * @throws TilemarkError; the signal's reason where it is aborted.
   * @example await client.ingest(transactions, [{ id: "t1", ts: Date.now(), amt: 12.5 }]);
   */
  ingest<Of extends Source>(
    source: SourceRef<Of>,
    records: readonly RecordOf<Of>[],
    options?: IngestOptions,
  ): Promise<IngestCounts>;
  /** A source by its name. */
  source<Of extends Source>(name: Of["name"]): SourceHandle<Of>;
}

/**
 * The client without its platform: `tilemark/client` adds that.
 *
 * @throws TypeError for a URL that is none, RangeError for a number out of its range.
 */
export function createClient(options: ClientOptions, host: ClientHost): Client {
  const connection = connect(options, host);
  const reader = new FeatureReader(connection, options);
  return {
    getFeatures: ({ name }, query, callOptions) =>
      // The server answers by the definition of this name, which is what the types are of.
      reader.getFeatures(name, query, callOptions) as Promise<never>,
    service: (name) => ({ name }),
    ingest: ({ name }, records, ingestOptions) =>
      ingestRecords(connection, { source: name, records }, ingestOptions),
    source: (name) => ({ name }),
  };
}
