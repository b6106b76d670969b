import type { User } from "../../api/object.ts";
import type { Credentials } from "../access/credentials.ts";
import type { WorkerEnv } from "../env.ts";

/** A request as its route sees it: of one cluster, its user known. */
export interface Asked {
  env: WorkerEnv;
  cluster: string;
  user: User;
  credentials: Credentials;
  /** The path within the cluster. */
  path: string;
  /** Absent where the URL has none, as that of most reads and writes. */
  query: URLSearchParams | undefined;
  request: Request;
}
