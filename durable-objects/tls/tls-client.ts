import { alertError } from "./alert.ts";
import { ascii, ByteReader, type Bytes, concat, EMPTY, equalBytes, vector } from "./bytes.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import type { Channel } from "./channel.ts";
import { clientHello, type KeyShares, readServerHello } from "./hello.ts";
import {
  applicationSecrets,
  type CipherSuite,
  digest,
  finishedData,
  handshakeSecrets,
  nextSecret,
  TrafficCipher,
} from "./key-schedule.ts";
import { verifiesScheme } from "./signatures.ts";
import { RECORD, TlsRecords } from "./tls-records.ts";
import { verifyChain } from "./verify-chain.ts";

/**
 * A TLS 1.3 client (RFC 8446) over any connection, for what the platform's own TLS cannot do: to trust certificates that are
 * named by a Kubernetes object (`caBundle`). All cryptography is WebCrypto's. Older versions of TLS are not spoken.
 */
export interface TlsOptions {
  /** A DNS name, or an IP address: what the certificate has to be for. */
  readonly serverName: string;
  /** The address's bytes where `serverName` is one: it is not sent then (RFC 6066). */
  readonly serverIp?: Uint8Array | undefined;
  readonly trusted: readonly Certificate[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

const MESSAGE = {
  newSessionTicket: 4,
  encryptedExtensions: 8,
  certificate: 11,
  certificateRequest: 13,
  certificateVerify: 15,
  finished: 20,
  keyUpdate: 24,
} as const;

const ALERT = { closeNotify: 0, badCertificate: 42, decryptError: 51 } as const;
const WARNING = 1;
const FATAL = 2;
/** One handshake message; a chain of certificates is a few kilobytes. */
const MESSAGE_BYTES_MAX = 128 * 1024;
const SENT_CERTIFICATES_MAX = 16;
const SERVER_SIGNATURE = concat(
  new Uint8Array(64).fill(0x20),
  ascii("TLS 1.3, server CertificateVerify"),
  Uint8Array.of(0),
);
/** Post-handshake messages between two pieces of data: nobody needs more. */
const POST_HANDSHAKE_MAX = 64;

/** Shakes hands. @throws Error in the words of Go's crypto/tls where the other side is not who it should be, or does not speak TLS 1.3. */
export async function connectTls(channel: Channel, options: TlsOptions): Promise<Channel> {
  const connection = new TlsConnection(new TlsRecords(channel));
  try {
    await connection.shakeHands(options);
    return connection.channel();
  } catch (error) {
    await connection.abort();
    throw error;
  }
}

interface Message {
  readonly type: number;
  readonly body: Bytes;
  /** With its header, as it goes into the transcript. */
  readonly whole: Bytes;
}

class TlsConnection {
  readonly #records: TlsRecords;
  #suite: CipherSuite | undefined;
  #clientSecret: Bytes = EMPTY;
  #serverSecret: Bytes = EMPTY;
  /** Handshake bytes that are no whole message yet. */
  #pending: Bytes = EMPTY;
  #alert: number = ALERT.decryptError;

  constructor(records: TlsRecords) {
    this.#records = records;
  }

  async shakeHands({ serverName, serverIp, trusted, now }: TlsOptions): Promise<void> {
    const { hello, shares, sessionId } = await clientHello(serverIp ? undefined : serverName);
    await this.#records.write(RECORD.handshake, hello);
    const server = await this.#message();
    const { suite, shared } = await this.#agree(server, shares, sessionId);
    let transcript: Bytes = concat(hello, server.whole);
    const secrets = await handshakeSecrets(suite, shared, transcript);
    if (this.#pending.length > 0) throw new Error("tls: unexpected message");
    this.#records.reading = await TrafficCipher.of(suite, secrets.server);

    const take = async (...types: readonly number[]): Promise<Message> => {
      const message = await this.#message();
      if (!types.includes(message.type)) throw new Error("tls: received unexpected handshake message");
      return message;
    };
    const extensions = await take(MESSAGE.encryptedExtensions);
    transcript = concat(transcript, extensions.whole);
    let certificate = await take(MESSAGE.certificate, MESSAGE.certificateRequest);
    /** The server's word for its request, which an answer repeats. */
    let requested: Bytes | undefined;
    if (certificate.type === MESSAGE.certificateRequest) {
      requested = new ByteReader(certificate.body).vector(1);
      transcript = concat(transcript, certificate.whole);
      certificate = await take(MESSAGE.certificate);
    }
    transcript = concat(transcript, certificate.whole);
    const sent = readCertificates(certificate.body);
    const proof = await take(MESSAGE.certificateVerify);
    await this.#checkProof(suite, sent, proof, transcript);
    transcript = concat(transcript, proof.whole);
    const finished = await take(MESSAGE.finished);
    const expected = await finishedData(suite, secrets.server, transcript);
    if (!equalBytes(finished.body, expected)) throw new Error("tls: invalid server finished hash");
    if (this.#pending.length > 0) throw new Error("tls: unexpected message");
    transcript = concat(transcript, finished.whole);
    this.#alert = ALERT.badCertificate;
    await verifyChain({ sent, trusted, serverName, serverIp, now }).catch((error: unknown) => {
      throw new Error(`tls: failed to verify certificate: ${(error as Error).message}`);
    });

    const application = await applicationSecrets(suite, secrets.next, transcript);
    await this.#records.write(RECORD.changeCipherSpec, Uint8Array.of(1));
    this.#records.writing = await TrafficCipher.of(suite, secrets.client);
    if (requested) {
      const none = handshakeMessage(MESSAGE.certificate, concat(vector(1, requested), vector(3)));
      await this.#records.write(RECORD.handshake, none);
      transcript = concat(transcript, none);
    }
    const verified = await finishedData(suite, secrets.client, transcript);
    await this.#records.write(RECORD.handshake, handshakeMessage(MESSAGE.finished, verified));
    this.#suite = suite;
    this.#clientSecret = application.client;
    this.#serverSecret = application.server;
    this.#records.reading = await TrafficCipher.of(suite, application.server);
    this.#records.writing = await TrafficCipher.of(suite, application.client);
  }

  async #agree({ type, body }: Message, shares: KeyShares, sessionId: Bytes) {
    const { suite, group, share } = readServerHello(type, body, sessionId);
    return { suite, shared: await shares.agree(group, share) };
  }

  async #checkProof(suite: CipherSuite, sent: readonly Certificate[], { body }: Message, transcript: Bytes) {
    const [leaf] = sent;
    if (!leaf) throw new Error("tls: received empty certificates message");
    const reader = new ByteReader(body);
    const scheme = reader.number(2);
    const signature = reader.vector(2);
    const data = concat(SERVER_SIGNATURE, await digest(suite, transcript));
    if (!(await verifiesScheme(scheme, leaf, signature, data))) {
      throw new Error("tls: invalid signature by the server certificate");
    }
  }

  /** The next whole handshake message. */
  async #message(): Promise<Message> {
    for (;;) {
      const message = this.#pendingMessage();
      if (message) return message;
      const record = await this.#records.read();
      if (!record) throw new Error("EOF");
      if (record.type === RECORD.alert) throw alertError(record.content);
      if (record.type !== RECORD.handshake || record.content.length === 0) throw new Error("tls: unexpected message");
      this.#pending = concat(this.#pending, record.content);
    }
  }

  #pendingMessage(): Message | undefined {
    const pending = this.#pending;
    if (pending.length < 4) return undefined;
    const end = 4 + pending[1]! * 65536 + pending[2]! * 256 + pending[3]!;
    if (end > MESSAGE_BYTES_MAX) throw new Error("tls: handshake message exceeds maximum size");
    if (pending.length < end) return undefined;
    this.#pending = pending.subarray(end);
    return { type: pending[0]!, body: pending.subarray(4, end), whole: pending.subarray(0, end) };
  }

  /** What the application says and hears. */
  channel(): Channel {
    const readable = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const data = await this.#data();
          if (data) controller.enqueue(data);
          else controller.close();
        } catch (error) {
          controller.error(error);
        }
      },
      cancel: () => this.close(),
    });
    const writable = new WritableStream<Uint8Array>({
      write: (chunk) => this.#records.write(RECORD.application, concat(chunk)),
      close: () => this.#records.write(RECORD.alert, Uint8Array.of(WARNING, ALERT.closeNotify)),
      abort: () => this.close(),
    });
    return { readable, writable, close: () => this.close() };
  }

  /** The next of the application's data; undefined: the other side said that there is no more. */
  async #data(): Promise<Bytes | undefined> {
    for (let i = 0; i < POST_HANDSHAKE_MAX; i++) {
      const record = await this.#records.read();
      // Without a farewell anybody on the way may have cut the rest off.
      if (!record) throw new Error("unexpected EOF");
      if (record.type === RECORD.application) return record.content;
      if (record.type === RECORD.alert) {
        if (record.content[1] === ALERT.closeNotify) return undefined;
        throw alertError(record.content);
      }
      if (record.type !== RECORD.handshake) throw new Error("tls: unexpected message");
      this.#pending = concat(this.#pending, record.content);
      for (let message = this.#pendingMessage(); message; message = this.#pendingMessage()) await this.#after(message);
    }
    throw new Error("tls: too many non-advancing records");
  }

  async #after({ type, body }: Message): Promise<void> {
    if (type === MESSAGE.newSessionTicket) return;
    if (type !== MESSAGE.keyUpdate || body.length !== 1) throw new Error("tls: unexpected message");
    const suite = this.#suite!;
    this.#serverSecret = await nextSecret(suite, this.#serverSecret);
    this.#records.reading = await TrafficCipher.of(suite, this.#serverSecret);
    if (body[0] !== 1) return;
    await this.#records.write(RECORD.handshake, handshakeMessage(MESSAGE.keyUpdate, Uint8Array.of(0)));
    this.#clientSecret = await nextSecret(suite, this.#clientSecret);
    this.#records.writing = await TrafficCipher.of(suite, this.#clientSecret);
  }

  /** Tells the other side that it failed, if it still listens. */
  async abort(): Promise<void> {
    await this.#records.write(RECORD.alert, Uint8Array.of(FATAL, this.#alert)).catch(() => undefined);
    await this.close();
  }

  async close(): Promise<void> {
    await this.#records.close();
  }
}

const handshakeMessage = (type: number, body: Bytes): Bytes => concat(Uint8Array.of(type), vector(3, body));

function readCertificates(body: Bytes): Certificate[] {
  const reader = new ByteReader(body);
  reader.vector(1);
  const list = new ByteReader(reader.vector(3));
  const found: Certificate[] = [];
  while (!list.isAtEnd) {
    if (found.length >= SENT_CERTIFICATES_MAX) throw new Error("tls: too many certificates");
    found.push(parseCertificate(list.vector(3)));
    list.vector(2);
  }
  return found;
}
