/** What the REST protocol of Upstash answers, as its documentation and its client have it. */

import { Redis } from "@upstash/redis/cloudflare";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startUpstashBridge } from "../../scripts/cli/upstash-bridge.ts";
import { startRecordingProxy } from "../builders/recording-proxy.ts";
import { startUpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";
import type { UpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A list is sent as JSON. */
  readonly body?: string | Uint8Array<ArrayBuffer> | readonly unknown[];
}

interface Vector {
  readonly name: string;
  /** Commands carried out before. */
  readonly given?: readonly (readonly unknown[])[];
  readonly call: Call;
  readonly status?: number;
  /** Left out: not looked at. */
  readonly answer?: unknown;
  /** What a command answers afterwards. */
  readonly then?: readonly [command: readonly unknown[], result: unknown];
}

const base64 = { "upstash-encoding": "base64" };
const resp2 = { "upstash-response-format": "resp2" };
const odd = Uint8Array.of(0x82, 0xa1, 0x61, 0xff, 0xc3, 0x28, 0x00, 0x80);

const vectors: readonly Vector[] = [
  ...["/", "/get/foo", "/pipeline", "/multi-exec", "/nothing"].flatMap((path) => [
    {
      name: `1: ${path} without a token is unauthorized`,
      call: { path, headers: { authorization: "" }, body: [["GET", "a"]] },
      status: 401,
      answer: { error: "Unauthorized" },
    },
    {
      name: `1: ${path} with another token is unauthorized`,
      call: { path: `${path}?_token=token-of-a-tesT`, headers: { authorization: "" }, body: [] },
      status: 401,
      answer: { error: "Unauthorized" },
    },
  ]),
  {
    name: "1: the token may stand in the query",
    given: [["SET", "foo", "bar"]],
    call: {
      path: "/get/foo?_token=token-of-a-test",
      method: "GET",
      headers: { authorization: "" },
    },
    answer: result("bar"),
  },
  {
    name: "2: a command in the body",
    call: { body: ["SET", "foo", "bar", "EX", 100] },
    answer: result("OK"),
    then: [["TTL", "foo"], 100],
  },
  {
    name: "3: OK is not encoded",
    call: { body: ["SET", "foo", "bar", "EX", 100], headers: base64 },
    answer: result("OK"),
  },
  {
    name: "4: strings are encoded",
    given: [["SET", "foo", "bar"]],
    call: { body: ["GET", "foo"], headers: base64 },
    answer: result("YmFy"),
  },
  { name: "5: null is null", call: { body: ["GET", "no"], headers: base64 }, answer: result(null) },
  {
    name: "6: integers stay numbers",
    call: { body: ["INCR", "n"], headers: base64 },
    answer: result(1),
  },
  {
    name: "9: parts of the path are decoded",
    given: [
      ["SET", "a/b c", "1"],
      ["SET", "é", "2"],
    ],
    call: { method: "GET", path: "/mget/a%2Fb%20c/%C3%A9/none" },
    answer: result(["1", "2", null]),
  },
  {
    name: "9: a path that is not percent-encoded is a bad request",
    call: { method: "GET", path: "/get/%ff" },
    status: 400,
    answer: error("ERR"),
  },
  {
    name: "9: HEAD runs the command and answers no body",
    call: { method: "HEAD", path: "/set/foo/bar" },
    then: [["GET", "foo"], "bar"],
  },
  {
    name: "9: PUT is as POST",
    call: { method: "PUT", path: "/set/foo", body: "bar" },
    answer: result("OK"),
    then: [["GET", "foo"], "bar"],
  },
  {
    name: "10: a pipeline answers for each command",
    call: {
      path: "/pipeline",
      body: [
        ["set", "a", "1"],
        ["incr", "a"],
        ["hset", "a", "f", "v"],
        ["get", "a"],
      ],
    },
    answer: [result("OK"), result(2), error("WRONGTYPE"), result("2")],
  },
  {
    name: "11: strings are encoded at every depth",
    call: {
      path: "/pipeline",
      headers: base64,
      body: [["EVAL", "return {1, 'a', {'b', {'c', false}}}", 0], ["NOPE"]],
    },
    answer: [result([1, "YQ==", ["Yg==", ["Yw==", null]]]), error("ERR unknown command")],
  },
  {
    name: "11: a hash is a list of names and values",
    given: [["HSET", "h", "f", "v"]],
    call: {
      path: "/pipeline",
      body: [
        ["hgetall", "h"],
        ["hgetall", "none"],
      ],
    },
    answer: [result(["f", "v"]), result([])],
  },
  {
    name: "13: resp2 is not encoded as base64",
    call: { body: ["GET", "a"], headers: { ...resp2, ...base64 } },
    status: 400,
    answer: error("ERR"),
  },
  {
    name: "13: another format is a bad request",
    call: { body: ["GET", "a"], headers: { "upstash-response-format": "xml" } },
    status: 400,
    answer: error("ERR"),
  },
  {
    name: "14: a transaction",
    call: {
      path: "/multi-exec",
      headers: base64,
      body: [
        ["SET", "a", 1],
        ["GET", "a"],
      ],
    },
    answer: [result("OK"), result("MQ==")],
  },
  {
    name: "14: a transaction with a command that is none applies nothing",
    call: { path: "/multi-exec", body: [["SET", "a", "1"], ["NOPE"]] },
    status: 400,
    answer: error("EXECABORT"),
    then: [["GET", "a"], null],
  },
  {
    name: "14: a transaction with a command that is refused applies nothing",
    call: {
      path: "/multi-exec",
      body: [
        ["SET", "a", "1"],
        ["WATCH", "a"],
      ],
    },
    status: 400,
    answer: error("ERR Command is not available"),
    then: [["GET", "a"], null],
  },
  {
    name: "14: a transaction is not answered as resp2",
    call: { path: "/multi-exec", headers: resp2, body: [["SET", "a", "1"]] },
    status: 400,
    answer: error("ERR"),
    then: [["GET", "a"], null],
  },
  {
    name: "15: a command that fails in a transaction leaves the others",
    call: {
      path: "/multi-exec",
      body: [
        ["SET", "a", "x"],
        ["INCR", "a"],
        ["SET", "b", "y"],
      ],
    },
    answer: [result("OK"), error("ERR value is not an integer"), result("OK")],
    then: [
      ["MGET", "a", "b"],
      ["x", "y"],
    ],
  },
  {
    name: "16: names in lower case, numbers and booleans",
    call: {
      path: "/pipeline",
      body: [
        ["rpush", "l", 1, 2.5, true, false],
        ["lrange", "l", 0, -1],
      ],
    },
    answer: [result(4), result(["1", "2.5", "true", "false"])],
  },
  ...[
    "BLPOP q 0",
    "WATCH k",
    "subscribe c",
    "MONITOR",
    "SELECT 1",
    "auth x",
    "MULTI",
    "SHUTDOWN",
  ].map((command) => ({
    name: `17: ${command} is not available`,
    call: { body: command.split(" ") },
    status: 400,
    answer: error("ERR Command is not available"),
  })),
  {
    name: "17: a read of a stream that blocks is not available",
    call: { body: ["XREAD", "BLOCK", 0, "STREAMS", "s", "$"] },
    status: 400,
    answer: error("ERR Command is not available"),
  },
  { name: "17: PING is", call: { body: ["PING"] }, answer: result("PONG") },
  { name: "17: ECHO is", call: { method: "GET", path: "/echo/a" }, answer: result("a") },
  ...["", "{", '"GET"', "{}", "[]", "[[]]", '[["GET"]]', "[null]", '["GET", {}]'].map((body) => ({
    name: `19: a body of ${body === "" ? "nothing" : body} is a bad request`,
    call: { body },
    status: 400,
    answer: error("ERR"),
  })),
  ...["", "[]", "[[]]", '["GET", "a"]', "{}"].map((body) => ({
    name: `19: a pipeline of ${body === "" ? "nothing" : body} is a bad request`,
    call: { path: "/pipeline", body },
    status: 400,
    answer: error("ERR"),
  })),
  {
    name: "20: DELETE is not allowed",
    call: { method: "DELETE" },
    status: 405,
    answer: error("ERR"),
  },
  {
    name: "21: a request past 10 MB is refused",
    call: { body: ["SET", "a", "x".repeat(10_000_000)] },
    status: 400,
    answer: { error: "ERR max request size exceeded" },
    then: [["GET", "a"], null],
  },
  {
    name: "21: one just below is not",
    call: { body: ["SET", "a", "x".repeat(9_999_900)] },
    answer: result("OK"),
    then: [["STRLEN", "a"], 9_999_900],
  },
];

describe("startUpstashBridge()", () => {
  let upstash: UpstashOnRedis;
  beforeAll(async () => {
    upstash = await startUpstashOnRedis();
  });
  afterAll(() => upstash.close());
  beforeEach(() => run(["FLUSHALL"]));

  test.each(vectors)("$name", async ({ given = [], call, status = 200, answer, then }) => {
    for (const command of given) await run(command);
    const response = await send(call);
    expect(response.status).toBe(status);
    expect(response.headers.get("upstash-sync-token")).toMatch(/^T\d+$/);
    if (answer !== undefined) expect(await response.json()).toEqual(answer);
    if (then !== undefined) expect(await run(then[0])).toEqual(then[1]);
  });

  test("7, 8: a body after a path is kept as it is, and comes whole as base64 alone", async () => {
    const set = await send({ path: "/set/k?EX=100", body: odd });
    expect(await set.json()).toEqual(result("OK"));
    expect(await run(["TTL", "k"])).toBe(100);
    const encoded = await send({ body: ["GET", "k"], headers: base64 });
    expect(await encoded.json()).toEqual(result(Buffer.from(odd).toString("base64")));
    expect(await run(["GET", "k"])).toBe(new TextDecoder().decode(odd));
  });

  test("8: options of the query come after the body", async () => {
    await send({ path: "/set/k?NX", body: "first" });
    const second = await send({ path: "/set/k?NX&EX=5", body: "second" });
    expect(await second.json()).toEqual(result(null));
    expect(await run(["GET", "k"])).toBe("first");
  });

  test("12: replies of a pipeline as resp2 stand back to back", async () => {
    await send({ path: "/set/k", body: odd });
    const body = [
      ["SET", "a", "1"],
      ["GET", "k"],
      ["INCR", "a"],
      ["GET", "no"],
      ["HGET", "a", "f"],
    ];
    const list = [["EVAL", "return {1, {'x'}}", 0]];
    const response = await send({ path: "/pipeline", headers: resp2, body: [...body, ...list] });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    const wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    const expected = [
      Buffer.from("+OK\r\n$8\r\n"),
      odd,
      Buffer.from(`\r\n:2\r\n$-1\r\n${wrong}*2\r\n:1\r\n*1\r\n$1\r\nx\r\n`),
    ];
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.concat(expected));
  });

  test("12: one command as resp2 is a bad request where it fails", async () => {
    const response = await send({ body: ["NOPE"], headers: resp2 });
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(/^-ERR unknown command/);
  });

  test("14: transactions of many requests at once do not mix", async () => {
    const body = [
      ["GET", "n"],
      ["INCR", "n"],
      ["GET", "n"],
    ];
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => (await send({ path: "/multi-exec", body })).json()),
    );
    for (const [before, increased, after] of answers as { result: unknown }[][]) {
      expect(Number(after?.result)).toBe(Number(before?.result ?? 0) + 1);
      expect(increased?.result).toBe(Number(after?.result));
    }
    expect(await run(["GET", "n"])).toBe("50");
  });

  test("18: the client sends the token of the answer before, and requests at once the same", async () => {
    const proxy = await startRecordingProxy(upstash.url);
    try {
      const client = new Redis({ ...upstash, url: proxy.url, enableAutoPipelining: false });
      await client.set("a", 1);
      const token = client.readYourWritesSyncToken;
      expect(token).toMatch(/^T\d+$/);
      await Promise.all([client.get("a"), client.get("a")]);
      const sent = proxy.requests.map(({ headers }) => headers["upstash-sync-token"]);
      expect(sent).toEqual(["", token, token]);
      expect(client.readYourWritesSyncToken).not.toBe(token);
    } finally {
      await proxy.close();
    }
  });

  test("listens on this machine alone, and says where there is no Redis", async () => {
    expect(new URL(upstash.url).hostname).toBe("127.0.0.1");
    const none = startUpstashBridge({ redisUrl: "redis://127.0.0.1:1", token: "t" });
    await expect(none).rejects.toThrow("Cannot start the bridge");
  });

  function send({ method = "POST", path = "/", headers = {}, body }: Call): Promise<Response> {
    const isRaw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
    const isBodiless = method === "GET" || method === "HEAD";
    return fetch(upstash.url + path, {
      method,
      headers: { authorization: `Bearer ${upstash.token}`, ...headers },
      ...(isBodiless ? {} : { body: isRaw ? (body ?? "") : JSON.stringify(body) }),
    });
  }

  async function run(command: readonly unknown[]): Promise<unknown> {
    const response = await send({ body: command });
    expect(response.status).toBe(200);
    return ((await response.json()) as { result: unknown }).result;
  }
});

function result(value: unknown): object {
  return { result: value };
}

function error(start: string): object {
  return { error: expect.stringMatching(`^${start}`) };
}
