import { groups } from "../kinds.ts";
import { discoveryPath, groupVersionTag, groupWord, type PathItem } from "./openapi-operations.ts";

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const uncapital = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

const META = "~apis.meta.v1.";

/** The path of discovery that a document has: `api`, `apis`, `apis/apps`, `apis/apps/v1`, `version`. */
export function discoveryPaths(document: string): Record<string, PathItem> {
  const [root, ...rest] = document.split("/");
  if (document === "version") {
    const words = "get the version information for this server";
    return {
      "/version/": discoveryPath("getCodeVersion", "version", words, "~version.Info", ["application/json"]),
    };
  }
  const available = "get available API versions";
  if (document === "api")
    return { "/api/": discoveryPath("getCoreAPIVersions", "core", available, `${META}APIVersions`) };
  if (document === "apis")
    return { "/apis/": discoveryPath("getAPIVersions", "apis", available, `${META}APIGroupList`) };
  const [group, version] = root === "api" ? ["", rest[0]!] : (rest as [string, string?]);
  const word = groupWord(group);
  if (version !== undefined) {
    const id = `get${word}${capital(version)}APIResources`;
    const tag = groupVersionTag({ group, version });
    return {
      [`/${document}/`]: discoveryPath(id, tag, "get available resources", `${META}APIResourceList`),
    };
  }
  return {
    [`/${document}/`]: discoveryPath(
      `get${word}APIGroup`,
      uncapital(word),
      "get information of a group",
      `${META}APIGroup`,
    ),
  };
}

/** Those of all documents about the built-in groups. */
export function allDiscoveryPaths(): Record<string, PathItem> {
  const names = ["api", "apis", "version"];
  for (const { name, versions } of groups) {
    if (name !== "") names.push(`apis/${name}`);
    names.push(...versions.map((version) => (name === "" ? `api/${version}` : `apis/${name}/${version}`)));
  }
  return Object.assign({}, ...names.map(discoveryPaths));
}
