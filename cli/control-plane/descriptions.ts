import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { definitionNamed, definitionNames } from "../../api/schema/facts.ts";
import { writeWhole } from "../home.ts";
import { projectPath } from "../project.ts";

/**
 * What fields mean, for `kubectl explain`: taken at build time from the typings of `@kubernetes/client-node`, so that no prose of
 * others is kept here. The module that is written replaces `api/schema/no-descriptions.ts` in bundles (package.json, "imports").
 */

/** As `api/schema/descriptions.ts` reads it. Numbers are places in `texts`; -1: nothing is said. */
interface Described {
  texts: string[];
  /** By definition: its own text, and those of its properties in the order of the facts. */
  definitions: Record<string, number[]>;
  /** By name, or by `patch.<name>`, `exec.<name>` … where the text differs. */
  parameters: Record<string, number>;
}

const TYPINGS = "node_modules/@kubernetes/client-node/dist/gen";
const NOTHING: Described = { texts: [], definitions: {}, parameters: {} };

/** Writes the module into `dist/`: an empty one where the typings are not installed. */
export function writeDescriptions(): void {
  const path = projectPath("dist", "descriptions.js");
  const typings = projectPath(TYPINGS);
  const described = existsSync(join(typings, "models")) ? describe(typings) : NOTHING;
  mkdirSync(dirname(path), { recursive: true });
  // In a function, so that an isolate that is asked for no document never makes the text.
  writeWhole(path, Buffer.from(`export const descriptions = () => ${JSON.stringify(JSON.stringify(described))};\n`));
}

function describe(typings: string): Described {
  const texts = new Map<string, number>();
  const place = (text: string | undefined): number => {
    if (!text) return -1;
    if (!texts.has(text)) texts.set(text, texts.size);
    return texts.get(text)!;
  };
  const definitions: Described["definitions"] = {};
  for (const name of definitionNames()) {
    const model = readModel(join(typings, "models"), name);
    const definition = definitionNamed(name);
    if (!model || !definition) continue;
    const properties = [...definition.properties.keys()].map((property) => place(model.properties.get(property)));
    definitions[name] = [place(model.text), ...properties];
  }
  const parameters = readParameters(readFileSync(join(typings, "types", "ObjectParamAPI.d.ts"), "utf8"));
  return {
    definitions,
    parameters: Object.fromEntries([...parameters].map(([name, text]) => [name, place(text)])),
    texts: [...texts.keys()],
  };
}

interface Model {
  text: string;
  properties: Map<string, string>;
}

const CLASS = /\/\*\*\n\* (.*)\n\*\/\nexport declare class /;
const PROPERTY = /\n {4}\/\*\*\n {4}\* (.*)\n {4}\*\/\n {4}'([^']+)'\??: /g;
const RENAMED = /"name": "([^"]+)",\s*"baseName": "([^"]+)"/g;

/** `V1Pod` of `core.v1.Pod`; where several groups have such a kind, `CoreV1Event`. */
function readModel(folder: string, name: string): Model | undefined {
  const [group, version, kind] = name.replace(/^[~^@](apis\.)?/, "").split(".");
  if (!group || !version || !kind) return undefined;
  const short = capital(version) + kind;
  const file = [short, capital(group) + short].find((candidate) => existsSync(join(folder, `${candidate}.d.ts`)));
  if (!file) return undefined;
  const typing = readFileSync(join(folder, `${file}.d.ts`), "utf8");
  const names = new Map<string, string>();
  for (const [, own, base] of readFileSync(join(folder, `${file}.js`), "utf8").matchAll(RENAMED))
    names.set(own!, base!);
  const properties = new Map<string, string>();
  for (const [, text, own] of typing.matchAll(PROPERTY)) properties.set(names.get(own!) ?? own!, plain(text!));
  return { text: plain(CLASS.exec(typing)?.[1] ?? ""), properties };
}

const PARAMETER =
  /\n {4}\/\*\*\n {5}\* (.*)\n(?: {5}\* .*\n)*? {5}\* @memberof \w+?Api(?:patch|connect\w+?Pod|readNamespacedPod)?(\w*)\n {5}\*\/\n {4}(\w+)\??: /g;
const OPERATION = /@memberof \w+?Api(patch|(?:connect|read)\w*(Attach|Exec|Log|Portforward)$)?/m;

/** The texts of query parameters; those of patches and of what runs in pods may be their own. */
function readParameters(typing: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const match of typing.matchAll(PARAMETER)) {
    const [whole, text, , name] = match;
    const [, operation, stream] = OPERATION.exec(whole) ?? [];
    const key = stream ? `${stream.toLowerCase()}.${name}` : operation ? `patch.${name}` : name!;
    if (!parameters.has(key)) parameters.set(key, plain(text!));
  }
  for (const [key, text] of parameters) {
    const shared = parameters.get(key.replace(/^\w+\./, ""));
    if (key.includes(".") && shared === text) parameters.delete(key);
  }
  for (const name of parameters.keys()) if (/^(body|name|namespace)$/.test(name)) parameters.delete(name);
  return parameters;
}

const ENTITIES: Record<string, string> = {
  "&#39;": "'",
  "&quot;": '"',
  "&lt;": "<",
  "&gt;": ">",
  "&amp;": "&",
  "&#x60;": "`",
};

/** The text without what the generator did to it. */
const plain = (text: string): string =>
  text
    .replace(/\\(['"`&])/g, "$1")
    .replace(/&#39;|&quot;|&lt;|&gt;|&#x60;|&amp;/g, (entity) => ENTITIES[entity]!)
    .trim();

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

if (process.argv[1] === fileURLToPath(import.meta.url)) writeDescriptions();
