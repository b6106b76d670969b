import type { ApiAnswer } from "./api-client.ts";
import { refusalOf } from "./cluster-client.ts";
import { Failure } from "./failure.ts";
import { describeContents } from "./snapshot/describe-snapshot.ts";

/** All objects are written before the answer comes, and nothing is heard meanwhile. */
export const MAKING_MILLISECONDS_MAX = 10 * 60_000;
const CONFLICT = 409;

/** What the server says of a cluster that it has made from another's state. */
interface MadeCluster {
  cluster: string;
  revision: number;
  homes: number;
  objects: number;
}

/** What became of `restore` and `fork`, and how to use it; a refusal is thrown. `doing`: `restored`, `forked`. */
export function describeMade(doing: string, cluster: string, answer: ApiAnswer): string {
  if (answer.code === CONFLICT)
    throw new Failure(`there is a cluster ${cluster} already: choose another name with --as NAME`);
  if (answer.code >= 300) throw new Failure(refusalOf(answer));
  const made = answer.body as MadeCluster;
  return `${doing} cluster ${made.cluster}: ${describeContents(made)}\nuse it with \`cox kubeconfig --cluster ${made.cluster}\`\n`;
}
