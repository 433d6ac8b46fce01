/** What a crash run may find wrong. */

export const faultKinds = [
  "lost",
  "counted twice",
  "wrong answers",
  "other bytes",
  "failures",
] as const;

export interface Fault {
  readonly kind: (typeof faultKinds)[number];
  readonly text: string;
}

/** How an answer differs from what it should be; null where it does not. */
export function compareAnswer(name: string, expected: unknown, actual: unknown): Fault | null {
  const text = `${name}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`;
  if (JSON.stringify(expected) === JSON.stringify(actual)) return null;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.some((id) => !actual.includes(id))) return { kind: "lost", text };
    if (new Set(actual).size < actual.length) return { kind: "counted twice", text };
  }
  if (typeof expected === "string" && typeof actual === "string") {
    return { kind: Number(actual) < Number(expected) ? "lost" : "counted twice", text };
  }
  return { kind: "wrong answers", text };
}

export function faultText({ kind, text }: Fault): string {
  return `${kind}: ${text}`;
}
