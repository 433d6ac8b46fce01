/** The key book and the audit log of a worker, in the Durable Object of its publisher. */

import { DurableObject } from "cloudflare:workers";
import type { AuditEvent, AuditPage } from "../../../src/access/audit-log.ts";
import { HomeAccess } from "../../../src/access/home-access.ts";
import type {
  CreateKeyRequest,
  Doer,
  IssuedKey,
  RevokeKeyRequest,
  RotateKeyRequest,
} from "../../../src/access/home-access.ts";
import type { KeyRecord } from "../../../src/access/key-record.ts";
import { describeAccess, randomBytes } from "../key-access.ts";
import { durableTable } from "./durable-table.ts";
import type { TilemarkEnvironment } from "./environment.ts";
import { answerCall } from "./rpc.ts";
import type { RpcAnswer } from "./rpc.ts";
import { readWorkerAccess } from "./worker-access.ts";

export class AccessObject extends DurableObject<TilemarkEnvironment> {
  readonly #access: HomeAccess;

  constructor(state: DurableObjectState, env: TilemarkEnvironment) {
    super(state, env);
    this.#access = new HomeAccess({
      state: durableTable(state.storage),
      randomBytes,
      configuration: describeAccess(readWorkerAccess(env)),
    });
  }

  keys(): Promise<RpcAnswer<readonly KeyRecord[]>> {
    return answerCall(() => this.#access.keys());
  }

  createKey(request: CreateKeyRequest, by: Doer): Promise<RpcAnswer<IssuedKey>> {
    return answerCall(() => this.#access.createKey(request, by));
  }

  rotateKey(request: RotateKeyRequest, by: Doer): Promise<RpcAnswer<IssuedKey>> {
    return answerCall(() => this.#access.rotateKey(request, by));
  }

  revokeKey(request: RevokeKeyRequest, by: Doer): Promise<RpcAnswer<KeyRecord>> {
    return answerCall(() => this.#access.revokeKey(request, by));
  }

  record(event: AuditEvent, nowMs: number): Promise<RpcAnswer<void>> {
    return answerCall(() => this.#access.record(event, nowMs));
  }

  audit(afterSeq: number): Promise<RpcAnswer<AuditPage>> {
    return answerCall(() => this.#access.audit(afterSeq));
  }
}
