import { expect, test } from "vitest";
import { steadyStub } from "./steady-stub.ts";

interface Rpc {
  ask(what: string): Promise<string>;
}

test("a stub is kept until it throws, and then made anew", async () => {
  let made = 0;
  const stub = steadyStub<Rpc>(() => {
    const number = ++made;
    return {
      ask: async (what: string) => {
        if (what === "break") throw new Error("broken");
        return `${number} ${what}`;
      },
    };
  });
  expect(made).toBe(0);
  expect([await stub.ask("a"), await stub.ask("b")]).toEqual(["1 a", "1 b"]);
  await expect(Promise.all([stub.ask("break"), stub.ask("break")])).rejects.toThrow("broken");
  expect(await stub.ask("c")).toBe("2 c");
});

test("a stub that cannot be made is tried again, and is no promise", async () => {
  let tries = 0;
  const stub = steadyStub<Rpc>(() => {
    if (++tries === 1) throw new Error("not now");
    return { ask: async (what: string) => what };
  });
  await expect(stub.ask("a")).rejects.toThrow("not now");
  expect(await stub.ask("a")).toBe("a");
  expect(await Promise.resolve(stub)).toBe(stub);
});
