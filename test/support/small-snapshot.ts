import { createHash } from "node:crypto";
import { endLine, headerLine, homeEndLine, homeLine, objectLine } from "../../api/snapshot-format.ts";

const sha256 = (content: string): string => createHash("sha256").update(content).digest("hex");

export interface SmallSnapshot {
  header: string;
  clusterHome: string;
  namespaceHome: string;
  end: string;
  /** All of it. */
  text: string;
}

/** The lines of a snapshot at revision 100 with one namespace and, in it, some pods; cut where a test wants to cut. */
export function smallSnapshot({ cluster = "default", pods = ["a", "b"], noteLength = 1 } = {}): SmallSnapshot {
  const header = headerLine({ cluster, revision: 100, time: "2026-01-31T12:00:00.000Z", homes: ["", "default"] });
  const clusterHome = home("", [object("namespaces", "", "default", 7, 1)]);
  const namespaceHome = home(
    "default",
    pods.map((name) => object("pods", "default", name, 8, noteLength)),
  );
  const before = header + clusterHome + namespaceHome;
  const end = endOf(before, 1 + pods.length);
  return { header, clusterHome, namespaceHome, end, text: before + end };
}

/** A last line that fits what comes before it. */
export const endOf = (before: string, objects: number): string => endLine(2, objects, sha256(before));

function object(resource: string, namespace: string, name: string, revision: number, noteLength: number): string {
  const metadata = { name, ...(namespace && { namespace }), resourceVersion: String(revision) };
  return objectLine({ resource, name, revision, json: JSON.stringify({ metadata, note: "ü".repeat(noteLength) }) });
}

function home(name: string, objects: string[]): string {
  return [homeLine(name), ...objects, homeEndLine(name, objects.length, sha256(objects.join("")))].join("");
}
