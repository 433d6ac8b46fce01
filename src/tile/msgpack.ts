/** Canonical msgpack: no extensions of the library's own, nothing another language cannot read. */

import { Packr } from "msgpackr";

const options = {
  useRecords: false,
  variableMapSize: true,
  moreTypes: false,
  // Known to the library and missing from its types.
  int64AsType: "auto",
};
const packr = new Packr(options as object);

/** Packs strings, numbers, `Uint8Array`s, and arrays and maps of them. */
export function packMsgpack(value: unknown): Uint8Array<ArrayBuffer> {
  return packr.pack(value) as Uint8Array<ArrayBuffer>;
}

/** What was packed, byte strings as views of `bytes`. @throws Error when it is not msgpack. */
export function unpackMsgpack(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}
