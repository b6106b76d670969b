import { isIPv4 } from "node:net";
import type { Answer, Question } from "dns-packet";
import type { ClusterRecords, ServiceRecords } from "./records.ts";

/** The version of the specification that the zone follows, told as TXT of `dns-version`. */
const DNS_VERSION = "1.1.0";
/** How long others may remember an answer, positive or negative: about as long as a pod takes to start. */
const TTL_SECONDS = 5;
/** More addresses of one name are not told at once: they would not fit a datagram anyway. */
const ANSWERS_MAX = 100;
const IN_ADDR_ARPA = ".in-addr.arpa";

/** What the cluster's DNS says to a question. */
export type Verdict =
  /** A final answer. Without `answers` and with `NOERROR`: the name is there, records of this type are not. */
  | { rcode: "NOERROR" | "NXDOMAIN"; answers: Answer[]; authorities: Answer[]; additionals: Answer[] }
  /** The name is an alias: the answer starts with these, and goes on with what `follow` resolves to. */
  | { follow: string; answers: Answer[] }
  /** Not a name of this cluster. */
  | "forward";

/**
 * Answers a question about `zone` (`cluster.local`) by the records; anything outside of it is for other servers.
 * `turn` is a number that grows: it rotates the addresses of a name, so that clients that take the first share them.
 */
export function answer(records: ClusterRecords, zone: string, question: Question, turn: number): Verdict {
  const name = question.name.toLowerCase().replace(/\.$/, "");
  if (name.endsWith(IN_ADDR_ARPA)) return answerReverse(records, zone, question, name);
  if (name !== zone && !name.endsWith(`.${zone}`)) return "forward";

  const path = name === zone ? [] : name.slice(0, -zone.length - 1).split(".");
  const found = find(records, zone, path);
  if (found === undefined) return verdict("NXDOMAIN", zone, []);
  if (found.alias !== undefined) {
    const alias: Answer = { type: "CNAME", name: question.name, ttl: TTL_SECONDS, data: found.alias };
    return question.type === "CNAME" ? verdict("NOERROR", zone, [alias]) : { follow: found.alias, answers: [alias] };
  }
  const all: Answer[] = found.records.map((record) => ({ ...record, name: question.name, ttl: TTL_SECONDS }) as Answer);
  const matching = all.filter((record) => isAny(question) || record.type === question.type);
  const shift = matching.length > 0 ? turn % matching.length : 0;
  const answers = [...matching.slice(shift), ...matching.slice(0, shift)].slice(0, ANSWERS_MAX);
  return verdict(
    "NOERROR",
    zone,
    answers,
    answers.flatMap((record) => targetsOf(records, zone, record)),
  );
}

type Found = { alias?: undefined; records: (RecordData & { type: string })[] } | { alias: string };
type RecordData = { data: unknown };

/** What is at a name (labels from left to right, without the zone's); undefined: there is no such name, nor one below it. */
function find(records: ClusterRecords, zone: string, path: readonly string[]): Found | undefined {
  const [kind, namespace, service, ...below] = path.toReversed();
  if (kind === undefined) return { records: [soa(zone)] };
  if (kind === "dns-version") return path.length === 1 ? { records: [{ type: "TXT", data: DNS_VERSION }] } : undefined;
  if (kind === "pod") return findPod(namespace, service, below);
  if (kind !== "svc") return undefined;
  if (namespace === undefined) return { records: [] };
  const services = records.namespaces.get(namespace);
  if (!services) return undefined;
  if (service === undefined) return { records: [] };
  const found = services.get(service);
  return found && findBelow(found, below.toReversed(), zone);
}

/** Pods are known by their address, which the name itself carries: `10-244-0-7.default.pod`. */
function findPod(namespace: string | undefined, pod: string | undefined, below: readonly string[]): Found | undefined {
  if (namespace === undefined || pod === undefined) return { records: [] };
  const address = pod.replaceAll("-", ".");
  return below.length === 0 && isIPv4(address) ? { records: [{ type: "A", data: address }] } : undefined;
}

function findBelow(service: ServiceRecords, labels: readonly string[], zone: string): Found | undefined {
  const below = labels.join(".");
  if (below === "") {
    if (service.alias !== undefined) return { alias: service.alias };
    return { records: service.addresses.map((data) => ({ type: "A", data })) };
  }
  const addresses = service.hosts.get(below);
  if (addresses) return { records: addresses.map((data) => ({ type: "A", data })) };
  const targets = service.ports.get(below);
  if (targets) {
    const weight = Math.max(1, Math.floor(100 / targets.length));
    return {
      records: targets.map(({ port, target }) => ({
        type: "SRV",
        data: { priority: 0, weight, port, target: `${target}.${zone}` },
      })),
    };
  }
  // `_tcp` has no records of its own, but names below it have.
  return [...service.ports.keys()].some((port) => port.endsWith(`.${below}`)) ? { records: [] } : undefined;
}

function answerReverse(records: ClusterRecords, zone: string, question: Question, name: string): Verdict {
  const address = name.slice(0, -IN_ADDR_ARPA.length).split(".").toReversed().join(".");
  const names = records.reverse.get(address);
  if (!names) return "forward";
  if (question.type !== "PTR" && !isAny(question)) return verdict("NOERROR", zone, []);
  const answers = names
    .slice(0, ANSWERS_MAX)
    .map((target): Answer => ({ type: "PTR", name: question.name, ttl: TTL_SECONDS, data: `${target}.${zone}` }));
  return verdict("NOERROR", zone, answers);
}

/** The addresses of an SRV record's target, which spare the client a question. */
function targetsOf(records: ClusterRecords, zone: string, record: Answer): Answer[] {
  if (record.type !== "SRV") return [];
  const target = record.data.target;
  const found = find(records, zone, target.slice(0, -zone.length - 1).split("."));
  if (!found || found.alias !== undefined) return [];
  return found.records.map((address) => ({ ...address, name: target, ttl: TTL_SECONDS }) as Answer);
}

/** A question for all types there are; the package knows it, its typings do not. */
function isAny(question: Question): boolean {
  return (question.type as string) === "ANY";
}

/** Without answers, the authority section tells how long that may be remembered (RFC 2308). */
function verdict(rcode: "NOERROR" | "NXDOMAIN", zone: string, answers: Answer[], additionals: Answer[] = []): Verdict {
  const authorities = answers.length === 0 ? [{ ...soa(zone), name: zone, ttl: TTL_SECONDS } as Answer] : [];
  return { rcode, answers, authorities, additionals };
}

function soa(zone: string) {
  return {
    type: "SOA",
    data: {
      mname: `ns.dns.${zone}`,
      rname: `hostmaster.${zone}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86400,
      minimum: TTL_SECONDS,
    },
  };
}
