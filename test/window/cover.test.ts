import { expect, test } from "vitest";
import { startEdge, windowBounds } from "../../src/window/bounds.ts";
import type { WindowGeometry, WindowSpan } from "../../src/window/bounds.ts";
import { planCover, tileAt } from "../../src/window/cover.ts";
import type { CoveredReads } from "../../src/window/cover.ts";
import { forSeeds } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

test("planCover() cuts the worked example of its head", () => {
  const noonMs = Date.UTC(2026, 0, 1, 12);
  const at = (hours: number, minutes: number) => Date.UTC(2026, 0, 1, hours, minutes);
  const cover = planCover(
    { windowing: "sliding", intervalMs: 5 * minuteMs, featureStartTimeMs: null },
    [{ sizeMs: hourMs, offsetMs: 0 }],
    { earliestMs: noonMs, latestMs: noonMs + hourMs, overtimeMs: hourMs, behind: false },
  );
  expect(cover.keepFromMs).toBe(at(11, 0));
  expect(tileAt(cover, at(11, 7))).toEqual({ startMs: at(11, 5), endMs: at(11, 10) });
  expect(tileAt(cover, at(12, 31))).toEqual({ startMs: at(12, 30), endMs: at(12, 35) });
  expect(tileAt(cover, at(10, 59)).endMs).toBe(at(11, 0));
});

test("planCover() puts one tile between the zones of a 30 d and a 1 h window", () => {
  const nowMs = Date.UTC(2026, 0, 31);
  const dayMs = 24 * hourMs;
  const cover = planCover(
    { windowing: "sliding", intervalMs: 5 * minuteMs, featureStartTimeMs: null },
    [
      { sizeMs: hourMs, offsetMs: 0 },
      { sizeMs: 30 * dayMs, offsetMs: 0 },
    ],
    { earliestMs: nowMs, latestMs: nowMs + dayMs, overtimeMs: 100 * dayMs, behind: false },
  );
  expect(tileAt(cover, nowMs - 10 * dayMs)).toEqual({
    startMs: nowMs - 29 * dayMs,
    endMs: nowMs - hourMs,
  });
});

test("tileAt() holds its instant, and neighbours touch", () => {
  forSeeds(300, (random) => {
    const { cover } = randomCover(random);
    let { startMs, endMs } = tileAt(cover, random.integer(-1e12, 1e12));
    for (let i = 0; i < 20 && Number.isFinite(endMs); i++) {
      expect(startMs).toBeLessThan(endMs);
      const next = tileAt(cover, endMs);
      expect(next.startMs).toBe(endMs);
      ({ startMs, endMs } = next);
    }
  });
});

test("planCover() lets no window edge fall inside a tile within the horizon", () => {
  forSeeds(1500, (random) => {
    const { geometry, windows, reads, cover } = randomCover(random);
    const atMs = random.integer(reads.earliestMs, reads.latestMs + 1);
    for (const window of windows) {
      const bounds = windowBounds(geometry, window, atMs);
      for (const edgeMs of [bounds.startMs, bounds.endMs]) {
        if (!Number.isFinite(edgeMs)) continue;
        expect(tileAt(cover, edgeMs).startMs).toBe(edgeMs);
        expect(tileAt(cover, edgeMs - 1).endMs).toBe(edgeMs);
      }
    }
  });
});

test("planCover() has no boundary within the horizon that no window edge reaches", () => {
  forSeeds(1500, (random) => {
    const { geometry, windows, reads, cover } = randomCover(random);
    const window = random.pick(windows);
    const aroundMs = windowBounds(geometry, window, reads.earliestMs);
    const nearMs = random.pick([
      aroundMs.startMs,
      aroundMs.endMs,
      reads.earliestMs,
      reads.latestMs,
    ]);
    if (!Number.isFinite(nearMs)) return;
    const spanMs = reads.latestMs - reads.earliestMs + hourMs;
    const tile = tileAt(cover, nearMs + random.integer(-spanMs, spanMs));
    for (const boundaryMs of [tile.startMs, tile.endMs]) {
      if (!Number.isFinite(boundaryMs)) continue;
      const reached = windows.some(
        (each) =>
          isReached(geometry, each, { boundaryMs, reads }) ||
          isOvertime(geometry, each, { boundaryMs, reads }),
      );
      expect(reached, `boundary ${boundaryMs}`).toBe(true);
    }
  });
});

test("planCover() only loses boundaries as its requests move on", () => {
  forSeeds(800, (random) => {
    const { geometry, windows, reads } = randomCover(random);
    const laterMs = reads.earliestMs + random.integer(0, 3 * (reads.latestMs - reads.earliestMs));
    const behind = random.next() < 0.5;
    const first = planCover(geometry, windows, { ...reads, behind });
    const later = planCover(geometry, windows, { ...reads, behind, earliestMs: laterMs });
    const instantMs = random.integer(reads.earliestMs - 40 * hourMs, reads.latestMs + 40 * hourMs);
    const fine = tileAt(first, instantMs);
    const coarse = tileAt(later, instantMs);
    expect(coarse.startMs).toBeLessThanOrEqual(fine.startMs);
    expect(coarse.endMs).toBeGreaterThanOrEqual(fine.endMs);
    expect(later.keepFromMs).toBeGreaterThanOrEqual(first.keepFromMs);
  });
});

test("planCover() makes one zone of a series, where no events stay raw", () => {
  const dayMs = 24 * hourMs;
  const noonMs = Date.UTC(2026, 0, 10, 12);
  const windows = Array.from({ length: 7 }, (_, i) => ({
    sizeMs: dayMs,
    offsetMs: -i * dayMs,
    gridMs: dayMs,
  }));
  const cover = planCover(
    { windowing: "continuous", intervalMs: 0, featureStartTimeMs: null },
    windows,
    { earliestMs: noonMs, latestMs: noonMs + 30 * hourMs, overtimeMs: 30 * hourMs, behind: false },
  );
  expect(cover.zones).toHaveLength(1);
  expect(cover.keepFromMs).toBe(Date.UTC(2026, 0, 3));
  for (let day = 3; day <= 11; day++) {
    const startMs = Date.UTC(2026, 0, day);
    const tile = { startMs, endMs: startMs + dayMs };
    expect(tileAt(cover, startMs + hourMs)).toEqual(tile);
  }
});

test("planCover() leaves one tile between two series on one grid", () => {
  const dayMs = 24 * hourMs;
  const nowMs = Date.UTC(2026, 2, 1);
  const offsets = [0, -1, -2, -30, -31];
  const cover = planCover(
    { windowing: "continuous", intervalMs: 0, featureStartTimeMs: null },
    offsets.map((days) => ({ sizeMs: dayMs, offsetMs: days * dayMs, gridMs: dayMs })),
    { earliestMs: nowMs, latestMs: nowMs + dayMs, overtimeMs: 0, behind: false },
  );
  expect(cover.zones).toHaveLength(2);
  expect(tileAt(cover, nowMs - 10 * dayMs)).toEqual({
    startMs: nowMs - 29 * dayMs,
    endMs: nowMs - 3 * dayMs,
  });
});

test("planCover() takes instants before 1970", () => {
  const cover = planCover(
    { windowing: "sliding", intervalMs: hourMs, featureStartTimeMs: null },
    [{ sizeMs: 2 * hourMs, offsetMs: 0 }],
    { earliestMs: -10 * hourMs - 1, latestMs: -5 * hourMs, overtimeMs: 5 * hourMs, behind: false },
  );
  expect(tileAt(cover, -12 * hourMs - 1)).toEqual({ startMs: -13 * hourMs, endMs: -12 * hourMs });
});

interface RandomCover {
  readonly geometry: WindowGeometry;
  readonly windows: readonly WindowSpan[];
  readonly reads: CoveredReads;
  readonly cover: ReturnType<typeof planCover>;
}

function randomCover(random: Random): RandomCover {
  const intervalMs = random.pick([minuteMs, 5 * minuteMs, hourMs]);
  const geometry: WindowGeometry = {
    windowing: random.pick(["sliding", "sawtooth", "continuous"]),
    intervalMs,
    featureStartTimeMs: random.pick([null, 1234567]),
  };
  const windows: WindowSpan[] = Array.from({ length: random.integer(1, 5) }, () => ({
    sizeMs: random.next() < 0.15 ? null : intervalMs * random.integer(1, 60),
    offsetMs: random.next() < 0.6 ? 0 : -intervalMs * random.integer(1, 20),
  }));
  if (random.next() < 0.4) windows.push(...randomSeries(random, intervalMs));
  const earliestMs = random.integer(-1e9, 1e9);
  const horizonMs = random.integer(1, 30 * hourMs);
  const reads = {
    earliestMs,
    latestMs: earliestMs + horizonMs,
    overtimeMs: horizonMs,
    behind: false,
  };
  return { geometry, windows, reads, cover: planCover(geometry, windows, reads) };
}

/** Windows on a grid of their own, a step apart, some of which overlap or leave a part of it out. */
function randomSeries(random: Random, intervalMs: number): WindowSpan[] {
  const gridMs = intervalMs * random.integer(1, 30);
  const sizeMs = intervalMs * random.integer(1, 60);
  const untilMs = random.next() < 0.5 ? 0 : intervalMs * random.integer(1, 20);
  const count = random.integer(1, 12);
  return Array.from({ length: count }, (_, i) => ({
    sizeMs,
    offsetMs: -untilMs - i * gridMs,
    gridMs,
  }));
}

/** Whether some request within the horizon, or any later one for a live lead, has the edge there. */
function isReached(
  geometry: WindowGeometry,
  window: WindowSpan,
  { boundaryMs, reads }: { readonly boundaryMs: number; readonly reads: CoveredReads },
): boolean {
  const intervalMs = geometry.windowing === "continuous" ? 1 : geometry.intervalMs;
  const stepMs = window.gridMs ?? intervalMs;
  const latestForEnd = window.offsetMs === 0 ? Infinity : reads.latestMs;
  const candidates = (shiftMs: number) => [
    boundaryMs + shiftMs,
    Math.max(boundaryMs + shiftMs, reads.earliestMs),
    boundaryMs + shiftMs + stepMs - 1,
  ];
  const size = window.sizeMs ?? 0;
  const startReached = candidates(size - window.offsetMs).some(
    (atMs) =>
      atMs >= reads.earliestMs &&
      atMs <= reads.latestMs &&
      startEdge(geometry, window, atMs) === boundaryMs,
  );
  const endReached = candidates(-window.offsetMs).some(
    (atMs) =>
      atMs >= reads.earliestMs &&
      atMs <= latestForEnd &&
      windowBounds(geometry, window, atMs).endMs === boundaryMs,
  );
  return startReached || endReached;
}

/** Whether it is the end of a zone, or a multiple of a doubled H as far past it. */
function isOvertime(
  geometry: WindowGeometry,
  window: WindowSpan,
  { boundaryMs, reads }: { readonly boundaryMs: number; readonly reads: CoveredReads },
): boolean {
  const bounds = windowBounds(geometry, window, reads.latestMs);
  return [bounds.startMs, bounds.endMs].some((lastMs) => {
    if (boundaryMs === lastMs) return true;
    for (const stepMs of [1, window.gridMs ?? geometry.intervalMs]) {
      const tileMs = Math.ceil(reads.overtimeMs / stepMs) * stepMs;
      const phaseMs = ((lastMs % stepMs) + stepMs) % stepMs;
      const level = Math.floor(Math.log2((boundaryMs - lastMs) / tileMs + 1));
      if (level >= 0 && (boundaryMs - phaseMs) % (tileMs * 2 ** level) === 0) return true;
    }
    return false;
  });
}
