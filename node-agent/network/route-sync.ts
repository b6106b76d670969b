import type { Logger } from "pino";
import { type Run, runOk } from "./command.ts";
import { type Converge, startConverge } from "./converge.ts";
import { parseRoutes, ROUTE_PROTOCOL, type Route, routeChanges } from "./routes.ts";

export interface RouteSyncOptions {
  run: Run;
  wanted(): readonly Route[];
  log: Logger;
}

/** Keeps the kernel's routes to the other nodes' pods equal to what is wanted. */
export function startRouteSync({ run, wanted, log }: RouteSyncOptions): Converge {
  /** Said once for as long as it lasts. */
  let refused = new Map<string, string>();
  const pass = async () => {
    const now = await syncRoutes(run, wanted());
    for (const [route, reason] of now) {
      if (!refused.has(route)) log.warn({ route, reason }, "no route to a node's pods");
    }
    refused = now;
  };
  return startConverge("routes", pass, log);
}

/**
 * Makes our routes those of `wanted`, and returns what was refused, with the reason: a node that is not on the same
 * link cannot be a gateway, and the others must not wait for it.
 */
export async function syncRoutes(run: Run, wanted: readonly Route[]): Promise<Map<string, string>> {
  const refused = new Map<string, string>();
  const present = parseRoutes(await runOk(run, "ip", ["-4", "route", "show", "proto", ROUTE_PROTOCOL]));
  for (const args of routeChanges(present, wanted)) {
    const { code, stderr } = await run("ip", args);
    if (code !== 0) refused.set(args.join(" "), stderr.trim());
  }
  return refused;
}
