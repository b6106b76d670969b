import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { readClusterRecord } from "../cluster-record.ts";
import { Failure } from "../failure.ts";
import { chosenHome, nodeHome } from "../home.ts";
import { importImages } from "../node/containerd.ts";
import { runningProcesses } from "./down.ts";

/** `cox image load`: an archive into the containerd of every node. */
export async function loadImages(archive: string, options: { state?: string }): Promise<void> {
  const home = chosenHome(options.state, process.env);
  const path = resolve(archive);
  if (!existsSync(path)) throw new Failure(`there is no file ${path}`, 2);
  const { containerd } = readClusterRecord(home);
  const nodes = runningProcesses(home).filter((entry) => entry.role === "node-agent" && entry.runtime === "containerd");
  if (nodes.length === 0) throw new Failure("no node of this cluster has containers: simulated ones need no images");
  const names = new Set<string>();
  for (const name of nodes.flatMap((entry) => entry.nodes ?? [])) {
    const socket = containerd ?? nodeHome(home, name).containerdSocket;
    for (const image of await importImages(socket, path)) names.add(image);
  }
  if (names.size === 0) throw new Failure(`${path} holds no image with a name: tag it before saving it`);
  for (const name of names) process.stdout.write(`${shortName(name)}\n`);
}

/** The shortest name that a pod can use for an image: containerd's own fill in what Docker's leave away. */
export function shortName(image: string): string {
  return image.replace(/^docker\.io\/library\//, "").replace(/^docker\.io\//, "");
}
