/**
 * A strict reader of OpenMetrics 1.0 text, for tests: it throws at the first line that the
 * specification does not allow, and gives back the samples.
 */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadFamily {
  readonly name: string;
  readonly type: string;
  readonly unit: string | null;
  readonly help: string;
  readonly samples: readonly Sample[];
}

interface OpenFamily {
  name: string;
  type: string;
  unit: string | null;
  help: string | null;
  samples: Sample[];
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total"],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
};

export function readOpenMetrics(text: string): readonly ReadFamily[] {
  if (!text.endsWith("\n# EOF\n")) throw new Error("the text does not end in # EOF");
  const families: OpenFamily[] = [];
  for (const line of text.slice(0, -"# EOF\n".length).split("\n").slice(0, -1)) {
    if (line.startsWith("#")) readHead(families, line);
    else readSample(families.at(-1), line);
  }
  for (const family of families) checkFamily(family);
  const names = families.map(({ name }) => name);
  if (new Set(names).size < names.length) throw new Error("a family comes twice");
  return families.map((family) => ({ ...family, help: family.help ?? "" }));
}

function readHead(families: OpenFamily[], line: string): void {
  const [, keyword, name = "", rest = ""] =
    /^# (TYPE|UNIT|HELP) ([a-z_][a-z0-9_]*) (.+)$/.exec(line) ?? fail(line);
  if (keyword === "TYPE") {
    if (suffixes[rest] === undefined) fail(line);
    families.push({ name, type: rest, unit: null, help: null, samples: [] });
    return;
  }
  const family = families.at(-1);
  if (family?.name !== name || family.samples.length > 0) return fail(line);
  if (keyword === "UNIT") {
    if (family.unit !== null || !name.endsWith(`_${rest}`)) fail(line);
    family.unit = rest;
    return;
  }
  if (family.help !== null) fail(line);
  family.help = unescape(rest, line);
}

function readSample(family: OpenFamily | undefined, line: string): void {
  const [, name = "", set, number = ""] =
    /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? fail(line);
  const known = family !== undefined && suffixes[family.type];
  if (!known || !known.some((suffix) => name === family.name + suffix)) return fail(line);
  family.samples.push({ name, labels: readLabels(set, line), value: readNumber(number, line) });
}

function readLabels(set: string | undefined, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = set ?? "";
  while (rest !== "") {
    const [whole = "", name = "", value = ""] =
      /^([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,(?=[a-z_])|$)/.exec(rest) ?? fail(line);
    if (name in labels) fail(line);
    labels[name] = unescape(value, line);
    rest = rest.slice(whole.length);
  }
  return labels;
}

function unescape(text: string, line: string): string {
  if (!/^(?:[^"\\\n]|\\[\\n"])*$/.test(text)) fail(line);
  return text.replace(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter));
}

function readNumber(text: string, line: string): number {
  if (text === "+Inf") return Infinity;
  if (!/^-?\d+(\.\d+)?(e[+-]\d+)?$/.test(text)) fail(line);
  return Number(text);
}

function checkFamily({ name, type, help, samples }: OpenFamily): void {
  if (help === null || help === "") throw new Error(`${name} has no help`);
  const seen = new Set(samples.map((sample) => JSON.stringify([sample.name, sample.labels])));
  if (seen.size < samples.length) throw new Error(`${name} has a sample twice`);
  if (type === "counter" && samples.some(({ value }) => !(value >= 0))) {
    throw new Error(`${name} has a counter below 0`);
  }
  if (type === "histogram") checkHistogram(name, samples);
}

/** Counts by bound, ascending to +Inf, which is the count. */
function checkHistogram(name: string, samples: readonly Sample[]): void {
  const series = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const [key, own] of series) {
    const bounded = own.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = bounded.map(({ labels: { le = "" } }) =>
      le === "+Inf" ? Infinity : Number(le),
    );
    const counts = bounded.map(({ value }) => value);
    const [sum, count] = own.slice(-2);
    const isRight =
      bounds.at(-1) === Infinity &&
      isAscending(bounds, (a, b) => a < b) &&
      isAscending(counts, (a, b) => a <= b) &&
      bounded.every(({ labels: { le = "" } }) => le === "+Inf" || /\.|e/.test(le)) &&
      own.length === bounded.length + 2 &&
      sum?.name === `${name}_sum` &&
      sum.value >= 0 &&
      count?.name === `${name}_count` &&
      count.value === counts.at(-1);
    if (!isRight) throw new Error(`${name} ${key} is no histogram`);
  }
}

function isAscending(numbers: readonly number[], holds: (a: number, b: number) => boolean) {
  return numbers.every((number, i) => i === 0 || holds(numbers[i - 1] as number, number));
}

function fail(line: string): never {
  throw new Error(`the specification does not allow ${JSON.stringify(line)}`);
}
