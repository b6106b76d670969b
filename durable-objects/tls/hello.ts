import { ascii, ByteReader, type Bytes, concat, equalBytes, type Key, uint16, vector } from "./bytes.ts";
import { CIPHER_SUITES, type CipherSuite } from "./key-schedule.ts";
import { CERTIFICATE_SCHEMES, SIGNATURE_SCHEMES } from "./signatures.ts";

const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const LEGACY_VERSION = 0x0303;
const TLS13 = 0x0304;
const RANDOM_BYTES = 32;
const EXTENSION = {
  serverName: 0,
  supportedGroups: 10,
  signatureAlgorithms: 13,
  applicationProtocols: 16,
  supportedVersions: 43,
  signatureAlgorithmsCert: 50,
  keyShare: 51,
} as const;

/** The random of a ServerHello that is a HelloRetryRequest (RFC 8446 section 4.1.3): SHA-256 of that name. */
const RETRY_RANDOM = Uint8Array.from(
  "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c".match(/../g)!,
  (pair) => Number.parseInt(pair, 16),
);

interface Group {
  readonly id: number;
  readonly algorithm: { readonly name: string; readonly namedCurve?: string };
}

/** The groups that keys are agreed in; a share of each is sent, so that no server has to ask again. */
const GROUPS: readonly Group[] = [
  { id: 0x001d, algorithm: { name: "X25519" } },
  { id: 0x0017, algorithm: { name: "ECDH", namedCurve: "P-256" } },
];

type Agreement = Parameters<typeof crypto.subtle.deriveBits>[0];

/** The client's half of the key agreement. */
export interface KeyShares {
  agree(group: number, share: Bytes): Promise<Bytes>;
}

export interface ClientHello {
  readonly hello: Bytes;
  readonly shares: KeyShares;
  readonly sessionId: Bytes;
}

/** The first message of all. @param serverName a DNS name; an IP address is not sent. */
export async function clientHello(serverName: string | undefined): Promise<ClientHello> {
  const { subtle } = crypto;
  const pairs = await Promise.all(
    GROUPS.map(async ({ id, algorithm }) => {
      const pair = (await subtle.generateKey(algorithm, false, ["deriveBits"])) as { publicKey: Key; privateKey: Key };
      const share = new Uint8Array((await subtle.exportKey("raw", pair.publicKey)) as ArrayBuffer);
      return { id, algorithm, pair, share };
    }),
  );
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  const sessionId = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  const extension = (type: number, ...body: readonly Uint8Array[]) => concat(uint16(type), vector(2, ...body));
  const list = (ids: Iterable<number>) => vector(2, ...Array.from(ids, uint16));
  const extensions = [
    ...(serverName ? [extension(EXTENSION.serverName, vector(2, Uint8Array.of(0), vector(2, ascii(serverName))))] : []),
    extension(EXTENSION.supportedGroups, list(GROUPS.map(({ id }) => id))),
    extension(EXTENSION.signatureAlgorithms, list(SIGNATURE_SCHEMES.keys())),
    extension(EXTENSION.signatureAlgorithmsCert, list(CERTIFICATE_SCHEMES)),
    extension(EXTENSION.applicationProtocols, vector(2, vector(1, ascii("http/1.1")))),
    extension(EXTENSION.supportedVersions, vector(1, uint16(TLS13))),
    extension(EXTENSION.keyShare, vector(2, ...pairs.map(({ id, share }) => concat(uint16(id), vector(2, share))))),
  ];
  const body = concat(
    uint16(LEGACY_VERSION),
    random,
    vector(1, sessionId),
    list(CIPHER_SUITES.map(({ id }) => id)),
    vector(1, Uint8Array.of(0)),
    vector(2, ...extensions),
  );
  const shares: KeyShares = {
    async agree(group, share) {
      const mine = pairs.find(({ id }) => id === group);
      if (!mine) throw new Error("tls: server selected unsupported group");
      try {
        const theirs = await subtle.importKey("raw", share, mine.algorithm, false, []);
        // The platforms' types do not agree on how this is called.
        const agreement = { name: mine.algorithm.name, public: theirs } as unknown;
        const shared = await subtle.deriveBits(agreement as Agreement, mine.pair.privateKey, 256);
        return new Uint8Array(shared);
      } catch {
        throw new Error("tls: invalid server key share");
      }
    },
  };
  return { hello: concat(Uint8Array.of(CLIENT_HELLO), vector(3, body)), shares, sessionId };
}

export interface ServerHello {
  readonly suite: CipherSuite;
  readonly group: number;
  readonly share: Bytes;
}

/** @throws Error where the server wants what was not offered. */
export function readServerHello(type: number, body: Bytes, sessionId: Bytes): ServerHello {
  if (type !== SERVER_HELLO) throw new Error("tls: received unexpected handshake message");
  const reader = new ByteReader(body);
  const legacyVersion = reader.number(2);
  const random = reader.take(RANDOM_BYTES);
  const echoed = reader.vector(1);
  const suiteId = reader.number(2);
  const compression = reader.number(1);
  const extensions = reader.isAtEnd ? new Map<number, Bytes>() : readExtensions(reader.vector(2));
  const versions = extensions.get(EXTENSION.supportedVersions);
  const version = versions ? new ByteReader(versions).number(2) : legacyVersion;
  if (version !== TLS13) throw new Error(`tls: server selected unsupported protocol version ${version.toString(16)}`);
  if (equalBytes(random, RETRY_RANDOM)) throw new Error("tls: server selected unsupported group");
  if (!equalBytes(echoed, sessionId)) throw new Error("tls: server did not echo the legacy session ID");
  if (compression !== 0) throw new Error("tls: server selected unsupported compression format");
  const suite = CIPHER_SUITES.find(({ id }) => id === suiteId);
  if (!suite) throw new Error("tls: server chose an unconfigured cipher suite");
  const keyShare = extensions.get(EXTENSION.keyShare);
  if (!keyShare) throw new Error("tls: server did not send a key share");
  const shareReader = new ByteReader(keyShare);
  return { suite, group: shareReader.number(2), share: shareReader.vector(2) };
}

function readExtensions(bytes: Bytes): Map<number, Bytes> {
  const reader = new ByteReader(bytes);
  const found = new Map<number, Bytes>();
  while (!reader.isAtEnd) found.set(reader.number(2), reader.vector(2));
  return found;
}
