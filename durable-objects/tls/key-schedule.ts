import { ascii, type Bytes, concat, EMPTY, type Key, uint16, vector } from "./bytes.ts";

/** A cipher suite of TLS 1.3 (RFC 8446 appendix B.4). */
export interface CipherSuite {
  readonly id: number;
  readonly hash: "SHA-256" | "SHA-384";
  readonly hashBytes: number;
  readonly keyBytes: number;
}

/** Those that WebCrypto has the parts of; every implementation has to know the first. */
export const CIPHER_SUITES: readonly CipherSuite[] = [
  { id: 0x1301, hash: "SHA-256", hashBytes: 32, keyBytes: 16 },
  { id: 0x1302, hash: "SHA-384", hashBytes: 48, keyBytes: 32 },
];

const IV_BYTES = 12;
/** RFC 8446 section 5.5: so many records are safe under one key. */
const RECORDS_MAX = 2 ** 24;

async function hmac({ hash }: CipherSuite, key: Bytes, data: Bytes): Promise<Bytes> {
  // An empty key cannot be imported; HMAC pads keys with zeros anyway.
  const raw = key.length > 0 ? key : new Uint8Array(1);
  const imported = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

export const digest = async ({ hash }: CipherSuite, data: Bytes): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest(hash, data));

/** HKDF-Expand-Label of RFC 8446 section 7.1. Nothing here is longer than one block of the hash. */
async function expandLabel(suite: CipherSuite, secret: Bytes, label: string, context: Bytes, length: number) {
  const info = [uint16(length), vector(1, ascii(`tls13 ${label}`)), vector(1, context), Uint8Array.of(1)];
  const block = await hmac(suite, secret, concat(...info));
  return block.slice(0, length);
}

const deriveSecret = async (suite: CipherSuite, secret: Bytes, label: string, transcript: Bytes) =>
  expandLabel(suite, secret, label, await digest(suite, transcript), suite.hashBytes);

/** The secrets of one phase, one for each direction. */
export interface Secrets {
  readonly client: Bytes;
  readonly server: Bytes;
  /** What the next phase is made of. */
  readonly next: Bytes;
}

/** @param transcript ClientHello and ServerHello. */
export async function handshakeSecrets(suite: CipherSuite, shared: Bytes, transcript: Bytes): Promise<Secrets> {
  const zeros = new Uint8Array(suite.hashBytes);
  const early = await hmac(suite, EMPTY, zeros);
  const secret = await hmac(suite, await deriveSecret(suite, early, "derived", EMPTY), shared);
  return {
    client: await deriveSecret(suite, secret, "c hs traffic", transcript),
    server: await deriveSecret(suite, secret, "s hs traffic", transcript),
    next: await deriveSecret(suite, secret, "derived", EMPTY),
  };
}

/** @param transcript all messages up to the server's Finished. */
export async function applicationSecrets(suite: CipherSuite, next: Bytes, transcript: Bytes): Promise<Secrets> {
  const secret = await hmac(suite, next, new Uint8Array(suite.hashBytes));
  return {
    client: await deriveSecret(suite, secret, "c ap traffic", transcript),
    server: await deriveSecret(suite, secret, "s ap traffic", transcript),
    next: EMPTY,
  };
}

/** After a KeyUpdate. */
export const nextSecret = (suite: CipherSuite, secret: Bytes): Promise<Bytes> =>
  expandLabel(suite, secret, "traffic upd", EMPTY, suite.hashBytes);

/** `verify_data` of a Finished message. */
export async function finishedData(suite: CipherSuite, secret: Bytes, transcript: Bytes): Promise<Bytes> {
  const key = await expandLabel(suite, secret, "finished", EMPTY, suite.hashBytes);
  return await hmac(suite, key, await digest(suite, transcript));
}

/** Records in one direction under one secret: each has its own nonce. */
export class TrafficCipher {
  readonly #key: Key;
  readonly #iv: Bytes;
  #sequence = 0;

  private constructor(key: Key, iv: Bytes) {
    this.#key = key;
    this.#iv = iv;
  }

  static async of(suite: CipherSuite, secret: Bytes): Promise<TrafficCipher> {
    const raw = await expandLabel(suite, secret, "key", EMPTY, suite.keyBytes);
    const iv = await expandLabel(suite, secret, "iv", EMPTY, IV_BYTES);
    const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
    return new TrafficCipher(key, iv);
  }

  async encrypt(plaintext: Bytes, additionalData: Bytes): Promise<Bytes> {
    return new Uint8Array(await crypto.subtle.encrypt(this.#next(additionalData), this.#key, plaintext));
  }

  /** @throws where the record is not what the other side sent. */
  async decrypt(ciphertext: Bytes, additionalData: Bytes): Promise<Bytes> {
    try {
      return new Uint8Array(await crypto.subtle.decrypt(this.#next(additionalData), this.#key, ciphertext));
    } catch {
      throw new Error("tls: bad record MAC");
    }
  }

  #next(additionalData: Bytes) {
    if (this.#sequence >= RECORDS_MAX) throw new Error("tls: too many records under one key");
    const iv = this.#iv.slice();
    const view = new DataView(iv.buffer);
    view.setUint32(IV_BYTES - 4, view.getUint32(IV_BYTES - 4) ^ this.#sequence++);
    return { name: "AES-GCM", iv, additionalData };
  }
}
