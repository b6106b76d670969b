import { type Run, runOk } from "./command.ts";
import type { RuleSet } from "./iptables-rules.ts";
import { parseSave, type SavedTable } from "./restore-text.ts";

/** How long to wait for another program that holds the lock of the legacy tables. */
const LOCK_SECONDS = "5";
/** Kernels and distributions differ in which of the two they support; the system's own choice comes first. */
const VARIANTS = ["iptables", "iptables-nft", "iptables-legacy"];
/** Every match and target that the rules use beyond the plainest. */
const PROBE_CHAIN = "COX-PROBE";
const PROBE = `*nat
:${PROBE_CHAIN} - [0:0]
-A ${PROBE_CHAIN} -m comment --comment "probe" -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.0.2.1:80
-A ${PROBE_CHAIN} -m addrtype --dst-type LOCAL -m statistic --mode random --probability 0.5 -j MARK --or-mark 0x4000
-A ${PROBE_CHAIN} -m conntrack --ctstate NEW -m recent --name ${PROBE_CHAIN} --rcheck --seconds 1 --reap -j MASQUERADE --random-fully
COMMIT
*nat
:${PROBE_CHAIN} - [0:0]
-X ${PROBE_CHAIN}
COMMIT
`;

/** The machine's packet filter, by the one program of the iptables family that works here. */
export interface Iptables {
  /** `iptables`, `iptables-nft` or `iptables-legacy`. */
  readonly variant: string;
  /** Applies the text, each table at once or not at all; throws where the text is refused. */
  restore(text: string): Promise<void>;
  /** What there is of the chains of such names, by default ours. */
  save(concerned?: RegExp): Promise<Record<keyof RuleSet, SavedTable>>;
}

/** Finds the variant that this kernel supports; throws where there is none. */
export async function findIptables(run: Run): Promise<Iptables> {
  const complaints: string[] = [];
  for (const variant of VARIANTS) {
    const restored = await run(`${variant}-restore`, ["--noflush", "-w", LOCK_SECONDS], PROBE);
    if (restored.code === 0) return iptablesOf(run, variant);
    complaints.push(`${variant}: ${restored.stderr.trim().split("\n")[0]}`);
  }
  throw new Error(`iptables does not work here, and Services need it (${complaints.join("; ")})`);
}

function iptablesOf(run: Run, variant: string): Iptables {
  const saveTable = async (table: keyof RuleSet, concerned?: RegExp) =>
    parseSave(await runOk(run, `${variant}-save`, ["-t", table]), concerned);
  return {
    variant,
    restore: async (text) => {
      await runOk(run, `${variant}-restore`, ["--noflush", "-w", LOCK_SECONDS], text);
    },
    save: async (concerned) => {
      const [nat, filter] = await Promise.all([saveTable("nat", concerned), saveTable("filter", concerned)]);
      return { nat, filter };
    },
  };
}
