import type { Logger } from "pino";
import type { Run } from "./command.ts";
import { staleFlows } from "./conntrack.ts";
import { startConverge } from "./converge.ts";
import type { Iptables } from "./iptables.ts";
import { makeRules, type RuleFacts, type RuleSet } from "./iptables-rules.ts";
import { differs, restoreAll, restoreChanges } from "./restore-text.ts";
import type { ServicePort } from "./service-ports.ts";

/** How often the rules are compared with what should be there: others may flush tables. */
const CHECK_MS = 30_000;
/** More flows are not forgotten one by one in a pass: they time out by themselves. */
const FORGET_CALLS_MAX = 1000;

export interface ProxyOptions {
  iptables: Iptables;
  run: Run;
  /** What is wanted now; undefined while not everything is known, and the rules of an earlier run are to stay. */
  wanted(): { ports: readonly ServicePort[]; facts: RuleFacts } | undefined;
  log: Logger;
}

/** Keeps the kernel's rules equal to what is wanted. */
export interface Proxy {
  /** Something has changed: there will be a pass, at once or right after the burst. */
  changed(): void;
  /** Resolves when a pass has succeeded that began after the last change. */
  settled(): Promise<void>;
  /** Stops; the rules stay. */
  close(): Promise<void>;
}

export function startProxy({ iptables, run, wanted, log }: ProxyOptions): Proxy {
  /** What is known to be in the kernel; undefined: nothing is known, the next pass looks. */
  let applied: RuleSet | undefined;
  let portsBefore: readonly ServicePort[] = [];

  async function pass(): Promise<void> {
    const want = wanted();
    if (!want) return;
    const rules = makeRules(want.ports, want.facts);
    const text = applied ? restoreChanges(applied, rules) : restoreAll(await iptables.save(), rules);
    // A restore that fails may have done one table and not the other.
    applied = undefined;
    if (text !== undefined) await iptables.restore(text);
    applied = rules;
    const before = portsBefore;
    portsBefore = want.ports;
    await forgetFlows(before, want.ports);
  }

  async function forgetFlows(before: readonly ServicePort[], now: readonly ServicePort[]): Promise<void> {
    for (const args of staleFlows(before, now).slice(0, FORGET_CALLS_MAX)) {
      const { code, stderr } = await run("conntrack", args);
      // It counts what it has deleted, and calls zero a failure.
      if (code === 0 || stderr.includes("0 flow entries")) continue;
      log.warn({ args, reason: stderr.trim() }, "stale UDP flows could not be forgotten");
      if (code === 127) return;
    }
  }

  const converge = startConverge("Service rules", pass, log);

  async function check(): Promise<void> {
    if (!applied || !converge.idle) return;
    const seen = applied;
    const saved = await iptables.save();
    if (seen !== applied || !converge.idle || !differs(saved, seen)) return;
    log.warn("somebody else has changed the Service rules; writing them anew");
    applied = undefined;
    converge.changed();
  }
  const checking = setInterval(() => {
    check().catch((error) => log.warn({ err: error }, "the Service rules could not be read"));
  }, CHECK_MS);

  return {
    changed: () => converge.changed(),
    settled: () => converge.settled(),
    async close() {
      clearInterval(checking);
      await converge.close();
    },
  };
}
