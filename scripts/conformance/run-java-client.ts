/** The Java client, `ai.tecton:java-client` of Maven's repositories, with what it depends on. */

import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { install, readCases, runProgram } from "./run-program.ts";
import type { ClientRun } from "./run-program.ts";

const version = "0.9.1";
const client = `ai.tecton:java-client ${version}`;
const source = new URL("java-client.java", import.meta.url).pathname;
/** Of the folder that Maven copies to, beside the program's own classes. */
const classpath = "libraries/*:.";

const project = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tilemark</groupId><artifactId>conformance</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>ai.tecton</groupId><artifactId>java-client</artifactId><version>${version}</version>
  </dependency></dependencies>
</project>
`;

/** @throws Error where the program itself fails, which none of its cases may bring about. */
export async function runJavaClient(
  directory: string,
  urls: Readonly<Record<string, string>>,
): Promise<ClientRun> {
  await writeFile(join(directory, "pom.xml"), project);
  await copyFile(source, join(directory, "java-client.java"));
  const reason = await install(directory, [
    {
      command: "mvn",
      args: [
        ...["--quiet", "--batch-mode", "-Dstyle.color=never", "dependency:copy-dependencies"],
        "-DoutputDirectory=libraries",
      ],
    },
    { command: "javac", args: ["-classpath", classpath, "java-client.java"] },
  ]);
  if (reason !== null) return { client, cases: [], leftOut: reason };
  const args = Object.entries(urls).map(([name, url]) => `${name}=${url}`);
  const output = await runProgram(directory, {
    command: "java",
    args: ["-classpath", classpath, "JavaClient", ...args],
  });
  return { client, cases: readCases(output), leftOut: null };
}
