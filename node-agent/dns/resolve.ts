import packet, { type Answer, type DecodedPacket, type Packet, type Question } from "dns-packet";
import { answer } from "./answer.ts";
import type { ClusterRecords } from "./records.ts";
import type { Forward } from "./upstream.ts";

/** RFC 1035's limit for a datagram where the asker names none. */
const DATAGRAM_BYTES = 512;
/** What passes every path without being fragmented (DNS flag day 2020). */
const DATAGRAM_BYTES_MAX = 1232;
const MESSAGE_BYTES_MAX = 65535;
const HEADER_BYTES = 12;
/** An alias of an alias of …: followed so far. */
const ALIASES_MAX = 8;
const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
type Rcode = keyof typeof RCODES;
/** What the package decodes, beyond what its typings say. */
type Message = DecodedPacket & { rcode: string; opcode: string };

export interface ResolveOptions {
  records(): ClusterRecords;
  zone: string;
  forward: Forward;
}

/** Answers one DNS message with another; undefined: it is none, and there is nobody to answer to. */
export type Resolve = (message: Buffer, transport: "udp" | "tcp") => Promise<Buffer | undefined>;

/** Binds the cluster's records and the servers beyond it to one function from message to message. */
export function makeResolve({ records, zone, forward }: ResolveOptions): Resolve {
  let turn = 0;

  async function resolveQuestion(query: Message, question: Question, message: Buffer, transport: "udp" | "tcp") {
    const aliases: Answer[] = [];
    let asked = question;
    for (let i = 0; i < ALIASES_MAX; i++) {
      const verdict = answer(records(), zone, asked, turn++);
      if (verdict === "forward") {
        if (aliases.length === 0) return (await forward(message, transport)) ?? respond(query, "SERVFAIL", {});
        return followOutside(query, asked, aliases, transport);
      }
      if ("follow" in verdict) {
        aliases.push(...verdict.answers);
        asked = { ...asked, name: verdict.follow };
        continue;
      }
      return respond(query, verdict.rcode, { ...verdict, answers: [...aliases, ...verdict.answers] });
    }
    return respond(query, "SERVFAIL", {});
  }

  /** A stub resolver does not follow aliases itself: what the alias leads to has to be in the answer. */
  async function followOutside(query: Message, asked: Question, aliases: Answer[], transport: "udp" | "tcp") {
    const onward = packet.encode({ type: "query", id: 0, flags: packet.RECURSION_DESIRED, questions: [asked] });
    const raw = await forward(onward, transport);
    const response = raw && decode(raw);
    if (!response) return respond(query, "SERVFAIL", { answers: aliases });
    const rcode = (Object.keys(RCODES) as Rcode[]).find((name) => name === response.rcode) ?? "SERVFAIL";
    return respond(query, rcode, { answers: [...aliases, ...(response.answers ?? [])] });
  }

  return async (message, transport) => {
    const query = decode(message);
    if (!query) return message.length >= HEADER_BYTES ? malformed(message) : undefined;
    if (query.type !== "query") return undefined;
    const response = await answerQuery(query);
    return fit(response, query, transport);

    async function answerQuery(query: Message): Promise<Buffer> {
      const [question, ...more] = query.questions ?? [];
      if (query.opcode !== "QUERY") return respond(query, "NOTIMP", {});
      if (!question || more.length > 0) return respond(query, "FORMERR", {});
      if ((question.class ?? "IN") !== "IN") return respond(query, "REFUSED", {});
      return resolveQuestion(query, question, message, transport);
    }
  };
}

function respond(query: Message, rcode: Rcode, sections: Partial<Packet>): Buffer {
  const asksRecursion = (query.flags ?? 0) & packet.RECURSION_DESIRED;
  const edns = (query.additionals ?? []).some(({ type }) => type === "OPT");
  const opt = {
    type: "OPT",
    name: ".",
    udpPayloadSize: DATAGRAM_BYTES_MAX,
    flags: 0,
    options: [],
  } as unknown as Answer;
  return packet.encode({
    type: "response",
    id: query.id ?? 0,
    flags: packet.AUTHORITATIVE_ANSWER | packet.RECURSION_AVAILABLE | asksRecursion | RCODES[rcode],
    questions: query.questions ?? [],
    answers: sections.answers ?? [],
    authorities: sections.authorities ?? [],
    additionals: [...(sections.additionals ?? []), ...(edns ? [opt] : [])],
  });
}

/** What is too long for the asker's datagram is cut to nothing, and the asker told to come again over TCP. */
function fit(response: Buffer, query: Message, transport: "udp" | "tcp"): Buffer {
  const opt = (query.additionals ?? []).find(({ type }) => type === "OPT") as { udpPayloadSize?: number } | undefined;
  const room =
    transport === "tcp"
      ? MESSAGE_BYTES_MAX
      : Math.min(Math.max(opt?.udpPayloadSize ?? DATAGRAM_BYTES, DATAGRAM_BYTES), DATAGRAM_BYTES_MAX);
  if (response.length <= room) return response;
  return packet.encode({
    type: "response",
    id: query.id ?? 0,
    flags: (response.readUInt16BE(2) & 0x7fff) | packet.TRUNCATED_RESPONSE,
    questions: query.questions ?? [],
  });
}

function malformed(message: Buffer): Buffer | undefined {
  const isResponse = (message.readUInt8(2) & 0x80) !== 0;
  if (isResponse) return undefined;
  return packet.encode({ type: "response", id: message.readUInt16BE(0), flags: RCODES.FORMERR, questions: [] });
}

function decode(message: Buffer): Message | undefined {
  try {
    return packet.decode(message) as Message;
  } catch {
    return undefined;
  }
}
