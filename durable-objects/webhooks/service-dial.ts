import type { HomeAnswer, Target } from "../protocol.ts";
import type { Channel } from "../tls/channel.ts";
import type { ServiceAddress } from "./webhook-transport.ts";

/** As whoever dials a Service that nobody carries connections to: tells a Service that is not there from one that cannot be reached. */
export const unreachableService =
  (read: (target: Target) => Promise<HomeAnswer>) =>
  async ({ namespace, name, port }: ServiceAddress): Promise<Channel> => {
    const target = { group: "", version: "v1", resource: "services", namespace, name, subresource: "" };
    const { code } = await read(target);
    if (code === 404) throw new Error(`service ${JSON.stringify(name)} not found`);
    throw new Error(
      `dial tcp ${name}.${namespace}.svc:${port}: no node carries connections of the control plane to Services`,
    );
  };
