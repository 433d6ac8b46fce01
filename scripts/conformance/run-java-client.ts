/** The Java client: a checkout of its source, else `ai.tecton:java-client` of Maven's repositories. */

import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readJavaSource } from "./java-source.ts";
import type { JavaSource } from "./java-source.ts";
import { install, readCases, runProgram } from "./run-program.ts";
import type { ClientPlan, ClientRun, Program } from "./run-program.ts";

const published = "ai.tecton:java-client:0.9.1";
const howToGive =
  "for a checkout of github.com/tecton-ai/tecton-http-client-java, say --java-source DIR";
const program = new URL("java-client.java", import.meta.url).pathname;
/** Of the folder that Maven copies to, and of what is compiled here. */
const classpath = "libraries/*:classes";
const javac = ["-nowarn", "-proc:none", "-classpath", classpath, "-d", "classes"];

/**
 * @param sourceDirectory - Of a checkout.
 * @throws Error where there is none in that directory, or the program itself fails, which none of its
 *   cases may bring about.
 */
export async function runJavaClient(
  directory: string,
  plan: ClientPlan,
  sourceDirectory?: string,
): Promise<ClientRun> {
  const source = sourceDirectory === undefined ? null : await readJavaSource(sourceDirectory);
  const client = source === null ? published : `${published.replace(/[^:]*$/, source.version)}`;
  await writeFile(join(directory, "pom.xml"), projectOf(source?.dependencies ?? [published]));
  await copyFile(program, join(directory, "java-client.java"));
  const reason = await install(directory, [
    {
      command: "mvn",
      args: [
        ...["--quiet", "--batch-mode", "-Dstyle.color=never", "dependency:copy-dependencies"],
        "-DoutputDirectory=libraries",
      ],
    },
    ...(source === null ? [] : [await compileSource(directory, source)]),
    { command: "javac", args: [...javac, "java-client.java"] },
  ]);
  if (reason !== null) {
    const leftOut = source === null ? `${reason}; ${howToGive}` : reason;
    return { client, cases: [], leftOut };
  }
  const output = await runProgram(directory, {
    command: "java",
    args: ["-classpath", classpath, "JavaClient"],
    input: writeProperties(plan),
  });
  return { client, cases: readCases(output), leftOut: null };
}

/** The client's own build writes its version into a class too. */
async function compileSource(directory: string, source: JavaSource): Promise<Program> {
  const version = `package ai.tecton.client.version;

public class Version {
  public static final String VERSION = ${JSON.stringify(source.version)};
}
`;
  await writeFile(join(directory, "Version.java"), version);
  return { command: "javac", args: [...javac, "Version.java", ...source.files] };
}

function projectOf(dependencies: readonly string[]): string {
  const elements = dependencies.map((dependency) => {
    const [group, artifact, version] = dependency.split(":");
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tilemark</groupId><artifactId>conformance</artifactId><version>1</version>
  <dependencies>
    ${elements.join("\n    ")}
  </dependencies>
</project>
`;
}

/** As java.util.Properties reads them. */
function writeProperties({ urls, keys }: ClientPlan): string {
  const named = (kind: string, texts: Readonly<Record<string, string>>) =>
    Object.entries(texts).map(([name, text]) => `${kind}.${name}=${text}\n`);
  return [...named("url", urls), ...named("key", keys)].join("");
}
