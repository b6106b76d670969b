import { clusterClient } from "../cluster-client.ts";
import { entriesOf, printHistory } from "../history/describe-history.ts";
import { findObject, versionsOf } from "../history/object-history.ts";
import { chosenHome } from "../home.ts";

export interface HistoryOptions {
  namespace: string;
  cluster?: string;
  limit: number;
  json?: boolean;
  state?: string;
}

/** `cox history`: who changed what of an object, and when. */
export async function history(text: string, options: HistoryOptions): Promise<void> {
  const client = await clusterClient(chosenHome(options.state, process.env), options.cluster);
  const object = await findObject(client, text, options.namespace);
  // One more than is shown: what a version changed is told by the one before it.
  const versions = await versionsOf(client, object, options.limit + 1);
  const { group, resource } = object.resource;
  const entries = entriesOf(versions, { limit: options.limit, secret: group === "" && resource === "secrets" });
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ object: object.title, items: entries }, null, 2)}\n`
      : printHistory(entries, Date.now()),
  );
}
