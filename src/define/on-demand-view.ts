/** On-demand views: features worked out at request time from request values and other features. */

import { DefinitionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { DataType } from "../core/value.ts";
import { brandDefinition, checkDefinition, describe } from "./brand.ts";
import {
  checkCount,
  checkDataType,
  checkFields,
  checkName,
  checkObject,
  readTags,
  readText,
  readTexts,
} from "./check.ts";
import type { OnDemandViewDefinition } from "./definition.ts";
import type { carriedTypes, ValueOf } from "./feature-types.ts";
import type { View } from "./view-config.ts";

/** Data types by name, of request values or of outputs. */
export type DataTypes = Readonly<Record<string, DataType>>;

/** Views by the name the transform knows them under. Definitions are values, so none can read itself. */
export interface InputViews {
  readonly [input: string]: View | OnDemandView;
}

export interface OnDemandView<
  Name extends string = string,
  Request extends DataTypes = DataTypes,
  Inputs extends InputViews = InputViews,
  Output extends DataTypes = DataTypes,
> extends OnDemandViewDefinition {
  readonly name: Name;
  readonly request: Request;
  readonly inputs: Inputs;
  readonly output: Output;
  /** Of `transform`: raise it when it changes. */
  readonly version: string | null;
}

/** Values by name. Request values are never null: a request without one is refused. */
export type RequestValues<Request extends DataTypes> = {
  readonly [Name in keyof Request]: ValueOf<Request[Name]>;
};

/** Features by name, without their view's name. */
export type FeaturesOfView<Of> = Of extends {
  readonly kind: "onDemandView";
  readonly output: infer Output extends DataTypes;
}
  ? TransformResult<Output>
  : Of extends { readonly [carriedTypes]?: { readonly features: infer Features } }
    ? Features
    : never;

/** What a transform is given: frozen, and the same online as in training. */
export type TransformArguments<Request extends DataTypes, Inputs extends InputViews> = {
  readonly request: RequestValues<Request>;
  /** The request's one instant, in milliseconds. */
  readonly now: number;
} & { readonly [Name in keyof Inputs]: FeaturesOfView<Inputs[Name]> };

/** What a transform returns: every output may be null. */
export type TransformResult<Output extends DataTypes> = {
  readonly [Name in keyof Output]: ValueOf<Output[Name]> | null;
};

export interface OnDemandViewConfig<Request, Inputs, Output> {
  /** The request values it takes; none if left out. */
  readonly request?: Request;
  /** The views it reads; none if left out. */
  readonly inputs?: Inputs;
  /** Its features, in the order they are listed. */
  readonly output: Output;
  /** What its features are, by name, for those who ask. */
  readonly descriptions?: { readonly [Name in keyof Output]?: string };
  readonly tags?: Readonly<Record<string, string>>;
  readonly version?: string;
}

/** The transform, and the names that its inputs cannot take. */
export interface TransformConfig<
  Request extends DataTypes,
  Inputs extends InputViews,
  Output extends DataTypes,
  Result extends TransformResult<Output>,
> {
  /** Pure and synchronous: of its arguments alone, with no clock and no randomness of its own. */
  readonly transform: (
    inputs: TransformArguments<Request, Inputs>,
  ) => Result & { readonly [Extra in Exclude<keyof Result, keyof Output>]: never };
  readonly inputs?: {
    readonly [
      Name in keyof Inputs & ("request" | "now")
    ]: `"${Name}" is an argument of its own, choose another name`;
  };
}

/**
 * Declares features that a pure function works out when they are asked for.
 *
 * @throws DefinitionError when the definition cannot work; the message says what to change.
 * @example
 * const ratio = onDemandView("spend_ratio", {
 *   request: { amt: "float64" },
 *   inputs: { spend },
 *   output: { over_mean: "float64" },
 *   transform: ({ request, spend }) => ({
 *     over_mean: spend.amt_mean_30d_5m ? request.amt / spend.amt_mean_30d_5m : null,
 *   }),
 * });
 */
export function onDemandView<
  const Name extends string,
  const Output extends DataTypes,
  Result extends TransformResult<Output>,
  const Request extends DataTypes = Record<never, never>,
  const Inputs extends InputViews = Record<never, never>,
>(
  name: Name,
  config: OnDemandViewConfig<Request, Inputs, Output> &
    TransformConfig<Request, Inputs, Output, Result>,
): OnDemandView<Name, Request, Inputs, Output> {
  const prefix = `Cannot define on-demand view "${name}"`;
  checkName(prefix, "its name", name);
  checkObject(prefix, "its config", config);
  checkFields(prefix, config, configFields);
  const { request = {} as Request, inputs = {} as Inputs, output } = config;
  checkDataTypes(prefix, request, { field: "request", min: 0, max: limits.viewRequestValuesMax });
  checkInputs(prefix, inputs);
  checkDataTypes(prefix, output, { field: "output", min: 1, max: limits.viewFeaturesMax });
  if (typeof config.transform !== "function") {
    throw new DefinitionError(
      `${prefix}: transform is ${describe(config.transform)}, expected a function`,
    );
  }
  return brandDefinition<OnDemandView<Name, Request, Inputs, Output>>({
    kind: "onDemandView",
    name,
    // Copies, so that a later change to the config cannot pass unchecked.
    request: { ...request },
    inputs: { ...inputs },
    output: { ...output },
    descriptions: readDescriptions(prefix, config.descriptions, output),
    tags: readTags(prefix, config.tags),
    depth: readDepth(prefix, inputs),
    // Its caller passes what `request` and `inputs` declare, which is what the types above say.
    transform: config.transform as unknown as OnDemandViewDefinition["transform"],
    version: readText(prefix, "version", config.version),
  });
}

const configFields = [
  "request",
  "inputs",
  "output",
  "descriptions",
  "tags",
  "transform",
  "version",
];

function checkDataTypes(
  prefix: string,
  types: DataTypes,
  range: { readonly field: string; readonly min: number; readonly max: number },
): void {
  const { field, min, max } = range;
  checkObject(prefix, field, types);
  const entries = Object.entries(types);
  checkCount(prefix, field, { count: entries.length, min, max });
  for (const [name, type] of entries) {
    checkName(prefix, `a name in ${field}`, name);
    checkDataType(prefix, `${field}.${name}`, type);
  }
}

function checkInputs(prefix: string, inputs: InputViews): void {
  checkObject(prefix, "inputs", inputs);
  const entries = Object.entries(inputs);
  checkCount(prefix, "inputs", { count: entries.length, min: 0, max: limits.viewInputsMax });
  for (const [name, view] of entries) {
    if (name === "request" || name === "now") {
      throw new DefinitionError(
        `${prefix}: inputs.${name} has the name of another argument of the transform, choose another name`,
      );
    }
    const kinds = ["streamView", "batchView", "onDemandView"];
    checkDefinition(view, { prefix, name: `inputs.${name}`, kinds });
  }
}

function readDescriptions(
  prefix: string,
  descriptions: unknown,
  output: DataTypes,
): Readonly<Record<string, string>> {
  const read = readTexts(prefix, "descriptions", descriptions);
  const other = Object.keys(read).find((name) => !Object.hasOwn(output, name));
  if (other === undefined) return read;
  throw new DefinitionError(
    `${prefix}: descriptions.${other} is of no output, expected one of ${Object.keys(output).join(", ")}`,
  );
}

function readDepth(prefix: string, inputs: InputViews): number {
  const depths = Object.values(inputs).map((view) =>
    view.kind === "onDemandView" ? view.depth : 0,
  );
  const depth = 1 + Math.max(0, ...depths);
  if (depth <= limits.onDemandDepthMax) return depth;
  throw new DefinitionError(
    `${prefix}: ${depth} on-demand views stand on each other up to it, expected at most ${limits.onDemandDepthMax}`,
  );
}
