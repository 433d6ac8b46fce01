/**
 * An answer's rows as a table: a column a feature, then a column of statuses and one of details for
 * each where they were asked for.
 */

import type { ServedFeature } from "../../serve/answer-service.ts";
import { describeViews } from "../../serve/service-features.ts";
import type { FeatureDescription } from "../../serve/service-features.ts";
import type { Json } from "../encode-value.ts";
import {
  servedValue,
  statusOf,
  writeDefinition,
  writeDetails,
  writeSloInfo,
} from "../write-get-features.ts";
import type { Answer } from "../write-get-features.ts";
import { earliestTime } from "../write-get-features-batch.ts";
import type { AnswerColumn, AnswerTable } from "./answer-table.ts";

/** Details are JSON, null where the value is all that it should be; so are facts that are no text. */
export function tabulateAnswer(
  rows: readonly (readonly ServedFeature[])[],
  answer: Answer,
): AnswerTable {
  const asked = answer.request.metadataOptions;
  const { explanation } = answer;
  const features = describeViews(answer.service)
    .flatMap((view) => view.features)
    .map((described, i) => ({ described, served: rows.map((row) => row[i] as ServedFeature) }));
  return {
    rowCount: rows.length,
    columns: [
      ...features.map((feature, i) => valueColumn(feature, answer, explanation?.features[i])),
      ...features.flatMap((feature) => [
        ...(asked.includeServingStatus ? [statusColumn(feature)] : []),
        ...(asked.includeDetails ? detailColumns(feature) : []),
      ]),
    ],
    facts: textFacts({
      ...(asked.includeSloInfo && { sloInfo: writeSloInfo(answer.cost) }),
      ...(explanation !== null && { explain: explanation.request }),
    }),
  };
}

interface FeatureColumn {
  readonly described: FeatureDescription;
  /** One a row. */
  readonly served: readonly ServedFeature[];
}

/** Its name is the column's own. */
function valueColumn(
  { described, served }: FeatureColumn,
  answer: Answer,
  explain: Json | undefined,
): AnswerColumn {
  const { name, type } = described;
  const asked = { ...answer.request.metadataOptions, includeNames: false };
  const facts = textFacts({
    ...writeDefinition(described, earliestTime(served), asked),
    ...(explain !== undefined && { explain }),
  });
  return { name, type, values: served.map((each) => servedValue(each, answer)), facts };
}

function statusColumn({ described, served }: FeatureColumn): AnswerColumn {
  const name = `${described.name}.status`;
  return { name, type: "string", values: served.map(statusOf), facts: {} };
}

/** None where no row has any. */
function detailColumns({ described, served }: FeatureColumn): readonly AnswerColumn[] {
  const details = served.map(writeDetails);
  if (details.every((each) => each === null)) return [];
  const values = details.map((each) => (each === null ? null : JSON.stringify(each)));
  return [{ name: `${described.name}.details`, type: "string", values, facts: {} }];
}

function textFacts(facts: Readonly<Record<string, Json>>): AnswerColumn["facts"] {
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [
      name,
      typeof fact === "string" ? fact : JSON.stringify(fact),
    ]),
  );
}
