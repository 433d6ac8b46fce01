/** Parts of the app that a server has on its disk, and loads when the first request asks for them. */

import type { AppParts } from "../../../src/http/app.ts";

export const lazyParts: Required<Pick<AppParts, "arrow" | "openApi">> = {
  arrow: () => import("../../../src/http/encodings/arrow/encode-arrow.ts"),
  openApi: () => import("../../../src/http/openapi/openapi.ts"),
};
