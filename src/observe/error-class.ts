/** What a log may say of an error: what kind it is. Its text and its stack may hold anything. */

const classPattern = /^[A-Za-z_$][\w$]{0,63}$/;

/** So many of a chain of causes are named. */
const causesMax = 4;

/** The classes of an error and of its causes, as "FeatureError/TypeError". */
export function errorClassOf(error: unknown): string {
  const names: string[] = [];
  for (let each = error; names.length < causesMax; each = each.cause) {
    names.push(classOf(each));
    if (!(each instanceof Error) || each.cause === undefined) break;
  }
  return names.join("/");
}

function classOf(value: unknown): string {
  if (!(value instanceof Error)) return typeof value;
  const { name } = value.constructor;
  return classPattern.test(name) ? name : "Error";
}
