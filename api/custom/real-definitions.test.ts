import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { describe, expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import { CustomResourceDefinition } from "../kinds/custom-resource-definition.ts";
import type { KubeObject } from "../object.ts";
import { decodeObject } from "../schema/decode.ts";
import { applyDefaults } from "../schema/defaults.ts";
import { compileCustomKind } from "./compile-custom-kind.ts";
import type { CustomKind } from "./custom-kind.ts";
import type { CustomResourceDefinitionObject } from "./definition.ts";

/** Definitions that people use, as the Go module proxy has them: the largest, and those with the most rules. */
const MODULES = {
  certManager: "github.com/cert-manager/cert-manager@v1.17.2",
  gatewayApi: "sigs.k8s.io/gateway-api@v1.3.0",
  prometheusOperator: "github.com/prometheus-operator/prometheus-operator@v0.85.0",
};
const DOWNLOAD_SECONDS_MAX = 120;

/** Folders by name, or why there are none. */
function download(): Record<keyof typeof MODULES, string> | string {
  const go = ["/usr/local/go/bin/go", "/usr/bin/go"].find(existsSync) ?? "go";
  const env = { ...process.env, GOMODCACHE: join(tmpdir(), "coxswain-go-modules"), GOFLAGS: "-modcacherw" };
  try {
    const folders = Object.entries(MODULES).map(([name, module]) => {
      const text = execFileSync(go, ["mod", "download", "-json", module], {
        cwd: tmpdir(),
        env,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
        timeout: DOWNLOAD_SECONDS_MAX * 1_000,
      });
      return [name, (JSON.parse(text) as { Dir: string }).Dir] as const;
    });
    return Object.fromEntries(folders) as Record<keyof typeof MODULES, string>;
  } catch (error) {
    return (error as Error).message.split("\n")[0]!;
  }
}

const folders = download();
if (typeof folders === "string")
  console.warn(`SKIPPED: tests of real definitions, which need Go and its module proxy: ${folders}`);

function documentsIn(folder: string): KubeObject[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .flatMap((entry) => loadAll(readFileSync(join(entry.parentPath, entry.name), "utf8")) as (KubeObject | null)[])
    .filter((document): document is KubeObject => Boolean(document?.kind));
}

/** As the API takes it in; answers what is wrong with it. */
function establish(document: KubeObject): { definition: CustomResourceDefinitionObject; complaints: string[] } {
  const { object } = decodeObject(CustomResourceDefinition, document, "Strict");
  applyDefaults(CustomResourceDefinition, object);
  const definition = object as CustomResourceDefinitionObject;
  const { rules } = CustomResourceDefinition;
  rules.setDefaults?.(definition);
  rules.prepareForCreate?.(definition);
  return { definition, complaints: (rules.validate?.(definition) ?? []).map(describeFieldError) };
}

const definitionsIn = (folder: string) =>
  documentsIn(folder)
    .filter(({ kind }) => kind === "CustomResourceDefinition")
    .map(establish);

type Kinds = ReadonlyMap<string, CustomKind>;

function kindsOf(definitions: readonly { definition: CustomResourceDefinitionObject }[]): Kinds {
  const kinds = definitions.flatMap(({ definition }) => [...compileCustomKind(definition).values()]);
  return new Map(kinds.map((kind) => [`${kind.apiVersion} ${kind.info.kind}`, kind]));
}

/** What creating the object says, or undefined where its kind is another's. */
function create(kinds: Kinds, document: KubeObject): string[] | undefined {
  const kind = kinds.get(`${document.apiVersion} ${document.kind}`);
  if (!kind) return undefined;
  const { object, warnings } = kind.decodeText(JSON.stringify(document), "Warn");
  kind.setDefaults(object);
  return [...warnings, ...kind.validate(object).errors.map(describeFieldError)];
}

const found = (folder: string) => describe.runIf(typeof folders !== "string" && existsSync(folder));
const at = (name: keyof typeof MODULES, ...path: string[]): string =>
  typeof folders === "string" ? "" : join(folders[name], ...path);

found(at("gatewayApi"))("Gateway API", () => {
  for (const channel of ["standard", "experimental"]) {
    test(`the ${channel} definitions are established, their examples accepted, and the wrong ones refused`, () => {
      const definitions = definitionsIn(at("gatewayApi", "config", "crd", channel));
      expect(definitions.length).toBeGreaterThan(4);
      expect(definitions.flatMap(({ complaints }) => complaints)).toEqual([]);
      const kinds = kindsOf(definitions);
      const good = documentsIn(at("gatewayApi", "examples", channel)).map((document) => create(kinds, document));
      const judged = good.filter((complaints) => complaints !== undefined);
      expect(judged.length).toBeGreaterThan(5);
      expect(judged.flat()).toEqual([]);
      const bad = documentsIn(at("gatewayApi", "hack", "invalid-examples", channel)).map((document) =>
        create(kinds, document),
      );
      const refused = bad.filter((complaints) => complaints !== undefined);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.filter((complaints) => complaints.length === 0)).toEqual([]);
    });
  }
});

found(at("prometheusOperator"))("Prometheus operator", () => {
  test("its definitions, of nearly a megabyte each, are established, and its examples accepted", () => {
    const definitions = definitionsIn(at("prometheusOperator", "example", "prometheus-operator-crd"));
    expect(definitions.flatMap(({ complaints }) => complaints)).toEqual([]);
    const kinds = kindsOf(definitions);
    // The guide to scrape classes has fragments only.
    const guides = ["alerting", "getting-started"];
    const examples = guides.flatMap((guide) => documentsIn(at("prometheusOperator", "example", "user-guides", guide)));
    const judged = examples.map((document) => create(kinds, document)).filter((complaints) => complaints !== undefined);
    expect(judged.length).toBeGreaterThan(5);
    expect(judged.flat()).toEqual([]);
  });

  test("a Prometheus that asks for what there is not is refused", () => {
    const kinds = kindsOf(definitionsIn(at("prometheusOperator", "example", "prometheus-operator-crd")));
    const prometheus: KubeObject = {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "Prometheus",
      metadata: { name: "p" },
      spec: {
        scrapeInterval: "soon",
        logLevel: "loud",
        minReadySeconds: -1,
        podMonitorSelector: { matchLabels: { a: 5 } },
      },
    };
    expect(create(kinds, prometheus)?.map((text) => text.replace(/ in body should match '.*'$/, " …"))).toEqual([
      'spec.scrapeInterval: Invalid value: "soon": spec.scrapeInterval …',
      'spec.logLevel: Unsupported value: "loud": supported values: "", "debug", "info", "warn", "error"',
      "spec.minReadySeconds: Invalid value: -1: spec.minReadySeconds in body should be greater than or equal to 0",
      'spec.podMonitorSelector.matchLabels.a: Invalid value: "integer": spec.podMonitorSelector.matchLabels.a in body must be of type string: "integer"',
    ]);
  });
});

found(at("certManager"))("cert-manager", () => {
  test("its definitions are established, a certificate is accepted, and one without a secret refused", () => {
    const definitions = definitionsIn(at("certManager", "deploy", "crds"));
    expect(definitions.flatMap(({ complaints }) => complaints)).toEqual([]);
    const kinds = kindsOf(definitions);
    const certificate = (spec: object): KubeObject => ({
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: { name: "c" },
      spec: { issuerRef: { name: "ca" }, dnsNames: ["example.com"], ...spec },
    });
    expect(create(kinds, certificate({ secretName: "tls", privateKey: { algorithm: "ECDSA", size: 256 } }))).toEqual(
      [],
    );
    expect(create(kinds, certificate({ privateKey: { algorithm: "DSA" }, usages: ["signing", "everything"] }))).toEqual(
      [
        expect.stringContaining('spec.privateKey.algorithm: Unsupported value: "DSA"'),
        expect.stringContaining('spec.usages[1]: Unsupported value: "everything"'),
        "spec.secretName: Required value",
      ],
    );
  });
});
