type Methods = Record<string, (...args: unknown[]) => Promise<unknown>>;

/**
 * A stub to keep. The platform's own may be broken for ever by an exception: then the next call gets a new one. As long as
 * none is thrown it stays the same, so that calls arrive in the order they were made in.
 */
export function steadyStub<Rpc extends object>(make: () => unknown): Rpc {
  let stub: Methods | undefined;
  return new Proxy({} as Rpc, {
    get: (_, method) => {
      // Nobody may take it for a promise.
      if (typeof method !== "string" || method === "then") return undefined;
      return async (...args: unknown[]) => {
        stub ??= make() as Methods;
        const used = stub;
        try {
          return await used[method]!(...args);
        } catch (error) {
          if (stub === used) stub = undefined;
          throw error;
        }
      };
    },
  });
}
