import { ApiError } from "../../api/status.ts";

/** A home that has not answered after so long is not waited for any more. */
const CALL_MILLISECONDS_MAX = 15_000;
/** What somebody waits for is asked so often, with a delay that doubles from the first. */
const TRIES = 5;
const RETRY_FIRST_MILLISECONDS = 50;

type Later = (milliseconds: number, work: () => void) => () => void;

export const unavailable = (): ApiError =>
  new ApiError("ServiceUnavailable", "a part of the cluster does not answer, please try again later", {
    retryAfterSeconds: 1,
  });

/** Calls of other objects, none of which lasts for ever. */
export class Calls {
  readonly #later: Later;

  constructor(later: Later) {
    this.#later = later;
  }

  /** @throws what the call throws, or that it took too long. */
  once<T>(call: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const cancel = this.#later(CALL_MILLISECONDS_MAX, () => reject(new Error("no answer in time")));
      Promise.resolve().then(call).finally(cancel).then(resolve, reject);
    });
  }

  /** @throws ApiError ServiceUnavailable where nobody answers; refusals as they are. */
  async persistently<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.once(call);
      } catch (error) {
        if (error instanceof ApiError) throw error;
        if (tries === TRIES) {
          console.warn("a part of the cluster does not answer", error);
          throw unavailable();
        }
      }
      await this.sleep(RETRY_FIRST_MILLISECONDS * 2 ** (tries - 1));
    }
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.#later(milliseconds, resolve));
  }
}
