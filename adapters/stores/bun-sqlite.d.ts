/** The little of Bun's own SQLite that its handle uses; Bun's types would shadow those of Node. */

declare module "bun:sqlite" {
  export class Database {
    /** Creates the file where there is none. */
    constructor(path: string);
    prepare(text: string): {
      all(...binds: readonly (string | number | null | Uint8Array)[]): unknown[];
      finalize(): void;
    };
    exec(text: string): unknown;
    close(): void;
  }
}
