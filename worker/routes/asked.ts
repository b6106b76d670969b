import type { User } from "../../api/object.ts";
import type { Credentials } from "../access/credentials.ts";
import type { WorkerEnv } from "../env.ts";
import type { Past } from "./past.ts";

/** A request as its route sees it: of one cluster, its user known. */
export interface Asked {
  env: WorkerEnv;
  cluster: string;
  user: User;
  credentials: Credentials;
  /** `…/at/<time>/`: the cluster is asked for as it was; reads alone. */
  past: Past | undefined;
  /** The path within the cluster, behind `/at/<time>`. */
  path: string;
  /** Absent where the URL has none, as that of most reads and writes. */
  query: URLSearchParams | undefined;
  request: Request;
}
