/** Instants: integer milliseconds since 1970-01-01 UTC, read from and written as RFC 3339. */

/** The furthest instant from 1970, in milliseconds: that of ECMAScript's dates. */
export const instantMsMax = 8.64e15;

/** Why a value is not an instant. */
export class InstantError extends RangeError {
  /** What it is and what was expected, without the head of the message. */
  readonly reason: string;

  constructor(reason: string) {
    super(`Cannot read an instant: ${reason}`);
    this.name = "InstantError";
    this.reason = reason;
  }
}

// Year, month, day; hour, minute, second, fraction; offset.
const instantPattern =
  /^(\d{4}|[+-]\d{6})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})?)?$/;

const dayMs = 86_400_000;

/**
 * Reads an instant: an integer of milliseconds, or RFC 3339 text. An offset left out is UTC, a time
 * left out is midnight, a space may stand for the `T`, and a fraction is floored to milliseconds.
 *
 * @throws InstantError with a message that says what was expected.
 * @example parseInstant("2023-06-13T05:20:46.5639+02:00"); // 1686626446563
 */
export function parseInstant(value: unknown): number {
  if (typeof value === "number") return checkRange(value);
  if (typeof value !== "string") {
    const found = value === null ? "null" : `of type ${typeof value}`;
    throw new InstantError(`it is ${found}, expected RFC 3339 text or an integer of milliseconds`);
  }
  const match = instantPattern.exec(value);
  if (match === null) {
    throw new InstantError(
      'it is text of another form, expected RFC 3339, as in "2023-06-13T03:20:46.563Z"',
    );
  }
  const [, year, month, day, hour, minute, second, fraction = "", offset] = match;
  const dateMs = readDate(year as string, Number(month), Number(day));
  if (hour === undefined) return checkRange(dateMs);
  const timeMs = readTime(Number(hour), Number(minute), Number(second));
  // The fraction runs forward in time, so cutting its digits floors before 1970 too.
  const fractionMs = Number(fraction.slice(0, 3).padEnd(3, "0"));
  return checkRange(dateMs + timeMs + fractionMs - readOffset(offset));
}

/**
 * RFC 3339 in UTC, without a fraction on a whole second. Years past 9999 or before 0 take the
 * six-digit form of ECMAScript, which `parseInstant` reads too.
 *
 * @throws InstantError when it is not an instant.
 * @example formatInstant(1657065600000); // "2022-07-06T00:00:00Z"
 */
export function formatInstant(instantMs: number): string {
  const text = new Date(checkRange(instantMs)).toISOString();
  return text.endsWith(".000Z") ? `${text.slice(0, -5)}Z` : text;
}

/** The last multiple of `stepMs` at or before `instantMs`: a true floor, also before 1970. */
export function floorTo(instantMs: number, stepMs: number): number {
  const rest = instantMs % stepMs;
  return rest < 0 ? instantMs - rest - stepMs : instantMs - rest;
}

/** The first multiple of `stepMs` at or after `instantMs`. */
export function ceilTo(instantMs: number, stepMs: number): number {
  return -floorTo(-instantMs, stepMs) + 0; // -0 becomes 0.
}

function checkRange(instantMs: number): number {
  if (!Number.isInteger(instantMs)) {
    throw new InstantError("it is a number that is not whole, expected an integer of milliseconds");
  }
  if (instantMs < -instantMsMax || instantMs > instantMsMax) {
    throw new InstantError(
      `it is more than ${instantMsMax} milliseconds from 1970, expected one within`,
    );
  }
  return instantMs + 0; // -0 becomes 0.
}

function readDate(year: string, month: number, day: number): number {
  if (year === "-000000") throw outOfRange("year", "-000000", "000000");
  if (month < 1 || month > 12) throw outOfRange("month", month, "01 to 12");
  const daysMax = daysInMonth(Number(year), month);
  if (day < 1 || day > daysMax) throw outOfRange("day", day, `01 to ${daysMax}`);
  return daysFromCivil(Number(year), month, day) * dayMs;
}

function readTime(hour: number, minute: number, second: number): number {
  if (hour > 23) throw outOfRange("hour", hour, "00 to 23");
  if (minute > 59) throw outOfRange("minute", minute, "00 to 59");
  if (second > 59)
    throw outOfRange("second", second, "00 to 59, since leap seconds have no instant");
  return ((hour * 60 + minute) * 60 + second) * 1_000;
}

function readOffset(offset: string | undefined): number {
  if (offset === undefined || offset === "Z" || offset === "z") return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(4, 6));
  if (hours > 23) throw outOfRange("offset hour", hours, "00 to 23");
  if (minutes > 59) throw outOfRange("offset minute", minutes, "00 to 59");
  const size = (hours * 60 + minutes) * 60_000;
  return offset.startsWith("-") ? -size : size;
}

function outOfRange(part: string, value: number | string, expected: string): InstantError {
  return new InstantError(`its ${part} is ${value}, expected ${expected}`);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/**
 * Days from 1970-01-01 in the proleptic Gregorian calendar. Years start in March, so that the leap
 * day comes last (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil).
 */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
