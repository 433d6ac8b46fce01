/** Lint rules: the part of the house style that is about single statements. The rest is in test/project. */

import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const zodByName = {
  selector:
    'ImportDeclaration[source.value=/^zod/][importKind!="type"] > :matches(ImportSpecifier, ImportDefaultSpecifier)',
  message: 'Import zod as a namespace: import * as z from "zod/mini".',
};

const topLevelArrow = {
  selector:
    ":matches(Program, ExportNamedDeclaration) > VariableDeclaration > VariableDeclarator[id.typeAnnotation=undefined][init.type=/^(ArrowFunction|Function)Expression$/]",
  message: "Write a top-level function as a function declaration.",
};

const currentDate = {
  selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
  message: "The clock arrives as an argument.",
};

const clockAndRandomness = [
  { object: "Date", property: "now", message: "The clock arrives as an argument." },
  { object: "performance", property: "now", message: "The clock arrives as an argument." },
  {
    object: "Math",
    property: "random",
    message: "Randomness is seeded and arrives as an argument.",
  },
];

const cryptoRandomness = ["randomUUID", "getRandomValues"].map((property) => ({
  object: "crypto",
  property,
  message: "Randomness is seeded and arrives as an argument.",
}));

const timers = ["setTimeout", "setInterval", "setImmediate"];
const hosts = ["process", "Buffer", "global", "require", "Deno", "Bun", "navigator", "self"];
const browser = ["window", "document", "localStorage", "caches", "WebSocketPair"];

function restrictedGlobals(names) {
  return [
    "error",
    ...names.map((name) => ({ name, message: "It belongs to a host: take it as an argument." })),
  ];
}

export default defineConfig(
  { ignores: ["node_modules/", ".tilemark/", ".wrangler/", "coverage/"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.base],
    linterOptions: { reportUnusedDisableDirectives: "error" },
    languageOptions: {
      parserOptions: {
        project: ["tsconfig.src.json", "tsconfig.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_" },
      ],
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      eqeqeq: "error",
      "max-lines": ["error", { max: 400 }],
      "max-params": ["error", { max: 3 }],
      "no-empty": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-restricted-syntax": ["error", zodByName, topLevelArrow],
    },
  },
  {
    files: ["src/**/*.ts", "adapters/**/*.ts"],
    rules: { "max-lines-per-function": ["error", { max: 60 }] },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "no-restricted-globals": restrictedGlobals(["console", ...timers, ...hosts, ...browser]),
      "no-restricted-properties": ["error", ...clockAndRandomness, ...cryptoRandomness],
      "no-restricted-syntax": ["error", zodByName, topLevelArrow, currentDate],
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      "max-lines": ["error", { max: 600 }],
      "no-restricted-globals": restrictedGlobals(["console"]),
      "no-restricted-properties": ["error", ...clockAndRandomness],
      "no-restricted-syntax": ["error", zodByName, topLevelArrow, currentDate],
    },
  },
  {
    // Tests of types alone: they name values only to ask for their types.
    files: ["test/**/*.test-d.ts"],
    rules: {
      "@typescript-eslint/consistent-type-imports": "off",
      "@typescript-eslint/no-unused-vars": "off",
    },
  },
);
