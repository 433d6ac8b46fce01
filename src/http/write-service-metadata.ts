/** What a service takes and answers with, as the API's clients read it. */

import type { DataType } from "../core/value.ts";
import { encodeDataType } from "./encode-value.ts";
import type { Json } from "./encode-value.ts";

export interface TypedName {
  readonly name: string;
  readonly type: DataType;
}

export interface ServiceShape {
  readonly joinKeys: readonly TypedName[];
  readonly requestContextKeys: readonly TypedName[];
  /** In the order of the answer. */
  readonly features: readonly TypedName[];
}

export function writeServiceMetadata(shape: ServiceShape): Json {
  const { joinKeys, requestContextKeys, features } = shape;
  return {
    featureServiceType: "DEFAULT",
    inputJoinKeys: joinKeys.map(writeInput),
    ...(requestContextKeys.length > 0 && {
      inputRequestContextKeys: requestContextKeys.map(writeInput),
    }),
    featureValues: features.map(({ name, type }) => ({ name, dataType: encodeDataType(type) })),
  };
}

/** Older clients read the type's name beside the type. */
function writeInput({ name, type }: TypedName): Json {
  const dataType = encodeDataType(type);
  return { name, dataType, type: dataType.type };
}
