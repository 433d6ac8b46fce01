/** Sends an answer for features in the encoding that its request accepts. */

import type { Context } from "hono";
import { assert } from "../../core/errors.ts";
import type { ServedFeature } from "../../serve/answer-service.ts";
import { writeGetFeatures } from "../write-get-features.ts";
import type { Answer } from "../write-get-features.ts";
import { writeGetFeaturesBatch } from "../write-get-features-batch.ts";
import type { ArrowEncoder } from "./answer-table.ts";
import { chooseEncoding, contentTypes } from "./choose-encoding.ts";
import type { Encoding } from "./choose-encoding.ts";
import { tabulateAnswer } from "./tabulate-answer.ts";
import { writeMsgpack, writeMsgpackBatch } from "./write-msgpack.ts";

export interface EncodingParts {
  /** Loads the encoder of Arrow streams, called when one is asked for; left out, there are none. */
  readonly arrow?: () => Promise<ArrowEncoder>;
}

/** Vectors of the same features. */
export type Vectors =
  | { readonly one: readonly ServedFeature[] }
  | { readonly many: readonly (readonly ServedFeature[])[] };

export type Respond = (
  vectors: Vectors,
  answer: Answer,
  headers?: Readonly<Record<string, string>>,
) => Promise<Response>;

/**
 * Chooses the encoding, before anything is read.
 *
 * @throws FeatureError NOT_ACCEPTABLE where the request accepts none that is here.
 */
export function respondIn(c: Context, { arrow }: EncodingParts): Respond {
  const here: readonly Encoding[] = ["json", "msgpack", ...(arrow ? (["arrow"] as const) : [])];
  const encoding = chooseEncoding(c, here);
  return async (vectors, answer, headers = {}) => {
    c.header("vary", "accept", { append: true });
    const send = (bytes: Uint8Array<ArrayBuffer>) =>
      c.body(bytes, 200, { ...headers, "content-type": contentTypes[encoding] });
    switch (encoding) {
      case "json":
        return c.json(writeJson(vectors, answer) as object, 200, headers);
      case "msgpack":
        return send(packVectors(vectors, answer));
      case "arrow": {
        assert(arrow !== undefined, "an encoding that is chosen is here");
        const { encodeArrow } = await arrow();
        const rows = "one" in vectors ? [vectors.one] : vectors.many;
        return send(encodeArrow(tabulateAnswer(rows, answer)));
      }
    }
  };
}

function writeJson(vectors: Vectors, answer: Answer) {
  return "one" in vectors
    ? writeGetFeatures(vectors.one, answer)
    : writeGetFeaturesBatch(vectors.many, answer);
}

function packVectors(vectors: Vectors, answer: Answer): Uint8Array<ArrayBuffer> {
  return "one" in vectors
    ? writeMsgpack(vectors.one, answer)
    : writeMsgpackBatch(vectors.many, answer);
}
