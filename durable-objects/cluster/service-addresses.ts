import ipaddr from "ipaddr.js";
import { type FieldError, fieldInvalid } from "../../api/field-error.ts";
import { parseIp } from "../../api/ip.ts";
import { IPAddress } from "../../api/kinds/ip-address.ts";
import type { ServiceObject } from "../../api/kinds/service-object.ts";
import type { KubeObject } from "../../api/object.ts";
import { ApiError } from "../../api/status.ts";
import { holdingOf } from "../namespace/service-settling.ts";
import type { ServiceAsk, ServiceGrant, ServiceHolding } from "../protocol.ts";
import type { SqlDatabase } from "../store/sql.ts";
import { createObject } from "../verbs/create.ts";
import { copyOf, type Writing } from "../verbs/scope.ts";
import { servedOf } from "../verbs/served.ts";
import { removeObject } from "../verbs/update.ts";

export const NODE_PORT_FIRST = 30_000;
export const NODE_PORT_LAST = 32_767;
/** Below are the ports that are left to those who choose one themselves (KEP-3668). */
const NODE_PORT_STATIC = 86;
/** The same for addresses (KEP-3070): at least and at most so many at the beginning of the range. */
const STATIC_IPS_MIN = 16;
const STATIC_IPS_MAX = 256;
/** Of a range larger than a /12 only so much is used. */
const RANGE_MAX = 1 << 20;

/** The reservation of what was not reserved here. */
const ADOPTED = "restored";

type Row = { value: number; namespace: string; name: string; reservation: string };

const TABLE = `CREATE TABLE IF NOT EXISTS service_addresses (kind TEXT NOT NULL, value INTEGER NOT NULL, namespace TEXT NOT NULL,
  name TEXT NOT NULL, reservation TEXT NOT NULL, PRIMARY KEY (kind, value)) WITHOUT ROWID`;

/** Who has which cluster IP and which node port: each is one Service's in the whole cluster. */
export class ServiceAddresses {
  readonly #database: SqlDatabase;
  readonly #cidr: string;
  readonly #start: number;
  readonly #size: number;

  constructor(database: SqlDatabase, cidr: string) {
    this.#database = database;
    this.#cidr = cidr;
    const [address, bits] = ipaddr.IPv4.parseCIDR(cidr);
    this.#start = Math.floor(numberOf(address.toByteArray()) / 2 ** (32 - bits)) * 2 ** (32 - bits);
    this.#size = Math.min(2 ** (32 - bits), RANGE_MAX);
    database.exec(TABLE);
  }

  get cidr(): string {
    return this.#cidr;
  }

  /** The API's own. */
  get first(): string {
    return textOf(this.#start + 1);
  }

  /** All that is asked for, or nothing and the reasons. `random`: at least 0, below 1. */
  allocate(writing: Writing, ask: ServiceAsk, reservation: string, random: () => number): ServiceGrant {
    const errors: FieldError[] = [];
    const clusterIP = ask.clusterIP === null ? null : this.#chooseIp(ask.clusterIP, random, errors);
    const nodePorts: number[] = [];
    for (const { field, port } of ask.nodePorts)
      nodePorts.push(this.#choosePort(field, port, nodePorts, random, errors));
    if (errors.length > 0) return { errors };
    const owner = { namespace: ask.namespace, name: ask.name, reservation };
    if (clusterIP !== null) {
      this.#insert("ip", clusterIP, owner);
      createObject(writing, servedOf(IPAddress), ipAddressOf(textOf(clusterIP), owner));
    }
    for (const port of nodePorts) this.#insert("port", port, owner);
    return { reservation, clusterIP: clusterIP === null ? null : textOf(clusterIP), nodePorts };
  }

  release(writing: Writing, reservation: string): void {
    for (const kind of ["ip", "port"] as const) {
      for (const row of [
        ...this.#database.exec<Row>(
          "SELECT * FROM service_addresses WHERE kind = ? AND reservation = ?",
          kind,
          reservation,
        ),
      ]) {
        this.#delete(writing, kind, row.value);
      }
    }
  }

  /**
   * Of a cluster that is restored: what a Service has (an object of a namespace's home), or an IPAddress says, stays theirs. What one of them
   * has without the other is settled by the namespace, as anything else that was granted and not written.
   */
  adopt(namespace: string, object: KubeObject): void {
    const { kind, metadata } = object;
    if (kind === "IPAddress") {
      const { namespace = "", name = "" } = object["spec"]?.parentRef ?? {};
      this.#adopt("ip", metadata.name, { namespace, name });
      return;
    }
    const { name, clusterIPs, nodePorts } = holdingOf(object as ServiceObject);
    for (const ip of clusterIPs) this.#adopt("ip", ip, { namespace, name });
    for (const port of nodePorts) this.#adopt("port", port, { namespace, name });
  }

  /** Releases what a namespace has beyond its Services and the reservations that are under way. */
  settle(writing: Writing, namespace: string, services: readonly ServiceHolding[], underWay: readonly string[]): void {
    const held = { ip: new Set<number>(), port: new Set<number>() };
    for (const { clusterIPs, nodePorts } of services) {
      for (const text of clusterIPs) {
        const ip = parseIp(text);
        if (ip?.family === "IPv4") held.ip.add(numberOf(ip.bytes));
      }
      for (const port of nodePorts) held.port.add(port);
    }
    for (const kind of ["ip", "port"] as const) {
      for (const { value, reservation } of [
        ...this.#database.exec<Row>(
          "SELECT * FROM service_addresses WHERE kind = ? AND namespace = ?",
          kind,
          namespace,
        ),
      ]) {
        if (!held[kind].has(value) && !underWay.includes(reservation)) this.#delete(writing, kind, value);
      }
    }
  }

  #chooseIp(asked: string, random: () => number, errors: FieldError[]): number {
    const refuse = (why: string): number => {
      errors.push(fieldInvalid("spec.clusterIPs", [asked], `failed to allocate IP ${asked}: ${why}`));
      return 0;
    };
    if (asked !== "") {
      const ip = parseIp(asked);
      const value = ip?.family === "IPv4" ? numberOf(ip.bytes) : -1;
      // The first and the last address of a range are nobody's.
      if (value <= this.#start || value >= this.#start + this.#size - 1) {
        return refuse("the provided network does not match the current range");
      }
      return this.#isTaken("ip", value) ? refuse("provided IP is already allocated") : value;
    }
    const reserved = Math.min(Math.max(STATIC_IPS_MIN, Math.floor(this.#size / 16)), STATIC_IPS_MAX);
    const low = this.#start + Math.min(reserved, Math.floor(this.#size / 2));
    const high = this.#start + this.#size - 2;
    const found = this.#free("ip", low, high, random) ?? this.#free("ip", this.#start + 1, low - 1, random);
    if (found === undefined) throw new ApiError("InternalError", "failed to allocate a serviceIP: range is full");
    return found;
  }

  #choosePort(
    field: string,
    asked: number,
    also: readonly number[],
    random: () => number,
    errors: FieldError[],
  ): number {
    if (asked !== 0) {
      if (asked < NODE_PORT_FIRST || asked > NODE_PORT_LAST) {
        const range = `${NODE_PORT_FIRST}-${NODE_PORT_LAST}`;
        errors.push(
          fieldInvalid(field, asked, `provided port is not in the valid range. The range of valid ports is ${range}`),
        );
      } else if (this.#isTaken("port", asked) || also.includes(asked)) {
        errors.push(fieldInvalid(field, asked, "provided port is already allocated"));
      }
      return asked;
    }
    const dynamic = NODE_PORT_FIRST + NODE_PORT_STATIC;
    const found =
      this.#free("port", dynamic, NODE_PORT_LAST, random, also) ??
      this.#free("port", NODE_PORT_FIRST, dynamic - 1, random, also);
    if (found === undefined) throw new ApiError("InternalError", "failed to allocate a nodePort: range is full");
    return found;
  }

  #isTaken(kind: "ip" | "port", value: number): boolean {
    for (const _ of this.#database.exec("SELECT 1 FROM service_addresses WHERE kind = ? AND value = ?", kind, value))
      return true;
    return false;
  }

  /** The first free one from a random place on, around the end once. */
  #free(
    kind: "ip" | "port",
    low: number,
    high: number,
    random: () => number,
    also: readonly number[] = [],
  ): number | undefined {
    const count = high - low + 1;
    if (count <= 0) return undefined;
    const start = low + Math.floor(random() * count);
    return this.#firstGap(kind, start, high, also) ?? this.#firstGap(kind, low, start - 1, also);
  }

  #firstGap(kind: string, from: number, to: number, also: readonly number[]): number | undefined {
    let candidate = from;
    const skip = () => {
      while (also.includes(candidate)) candidate++;
    };
    skip();
    for (const { value } of this.#database.exec<{ value: number }>(
      "SELECT value FROM service_addresses WHERE kind = ? AND value BETWEEN ? AND ? ORDER BY value",
      kind,
      from,
      to,
    )) {
      if (value > candidate) break;
      if (value === candidate) candidate++;
      skip();
    }
    return candidate <= to ? candidate : undefined;
  }

  #insert(kind: "ip" | "port", value: number, { namespace, name, reservation }: Omit<Row, "value">): void {
    this.#database.exec(
      "INSERT INTO service_addresses (kind, value, namespace, name, reservation) VALUES (?, ?, ?, ?, ?)",
      kind,
      value,
      namespace,
      name,
      reservation,
    );
  }

  #adopt(kind: "ip" | "port", what: string | number, { namespace, name }: Pick<Row, "namespace" | "name">): void {
    let value = what;
    if (typeof value === "string") {
      const ip = parseIp(value);
      if (ip?.family !== "IPv4") return;
      value = numberOf(ip.bytes);
    }
    if (!this.#isTaken(kind, value)) this.#insert(kind, value, { namespace, name, reservation: ADOPTED });
  }

  #delete(writing: Writing, kind: "ip" | "port", value: number): void {
    this.#database.exec("DELETE FROM service_addresses WHERE kind = ? AND value = ?", kind, value);
    if (kind === "port") return;
    const served = servedOf(IPAddress);
    const stored = writing.tx.get(served.resource, textOf(value));
    if (stored) removeObject(writing, served, copyOf(stored.object));
  }
}

const ipAddressOf = (address: string, { namespace, name }: Omit<Row, "value">): KubeObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "IPAddress",
  metadata: {
    name: address,
    labels: {
      "ipaddress.kubernetes.io/ip-family": "IPv4",
      "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    },
  },
  spec: { parentRef: { resource: "services", namespace, name } },
});

const numberOf = (bytes: readonly number[]): number => bytes.reduce((value, byte) => value * 256 + byte, 0);
const textOf = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
