import type { KubeObject } from "../../api/object.ts";
import { type ApiClient, callApi } from "../api-client.ts";
import { clusterClient, reached, refusalOf } from "../cluster-client.ts";
import { Failure } from "../failure.ts";
import { collectionPath, objectPath } from "../history/find-resource.ts";
import { findObject, historyCommand, type NamedObject, VERSIONS_MAX, versionsOf } from "../history/object-history.ts";
import { planUndo } from "../history/undo-plan.ts";
import { chosenHome } from "../home.ts";

const CONFLICT = 409;

export interface UndoOptions {
  namespace: string;
  cluster?: string;
  to?: number;
  state?: string;
}

/** `cox undo`: an object as it was. */
export async function undo(text: string, options: UndoOptions): Promise<void> {
  const client = await clusterClient(chosenHome(options.state, process.env), options.cluster);
  const named = await findObject(client, text, options.namespace);
  const plan = planUndo(await versionsOf(client, named, VERSIONS_MAX), options.to);
  if (plan.do === "refuse") throw new Failure(`${named.title}: ${plan.why} (see ${historyCommand(named)})`);
  if (plan.do === "nothing") {
    process.stdout.write(`${named.title} is as it was at revision ${plan.revision}: nothing was done\n`);
    return;
  }
  const written = await write(client, named, plan.do, plan.object);
  const anew = plan.do === "create" ? "was created anew" : "is again";
  process.stdout.write(
    `${named.title} ${anew} as it was at revision ${plan.revision} (new revision ${written.metadata.resourceVersion})\n`,
  );
}

async function write(
  client: ApiClient,
  named: NamedObject,
  how: "create" | "update",
  object: KubeObject,
): Promise<KubeObject> {
  const { resource, namespace, name } = named;
  const [method, path] =
    how === "create" ? ["POST", collectionPath(resource, namespace)] : ["PUT", objectPath(resource, namespace, name)];
  const answer = await reached(client, callApi(client, method!, `${path}?fieldManager=cox-undo`, object));
  if (answer.code === CONFLICT)
    throw new Failure(`${named.title} has changed meanwhile: look at ${historyCommand(named)}, and try again`);
  if (answer.code >= 300) throw new Failure(refusalOf(answer));
  return answer.body;
}
