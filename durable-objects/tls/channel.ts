/** Bytes both ways: a TCP connection, or what is carried over one. */
export interface Channel {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Ends both directions at once. Never rejects. */
  close(): Promise<void>;
}
