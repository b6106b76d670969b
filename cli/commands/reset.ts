import { existsSync, readdirSync, rmSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { readClusterRecord } from "../cluster-record.ts";
import { Failure } from "../failure.ts";
import { chosenHome, type Home } from "../home.ts";
import { lockHolder } from "../lock.ts";
import { cgroupRoot, namespaceOf, removeNetwork } from "../node/network.ts";
import { removeNode, removePodCgroups } from "../node/remove.ts";
import { runSteps } from "../progress.ts";
import { stopCluster } from "./down.ts";

/** What a home holds; a folder with anything else in it is not ours to remove. */
const OURS = /^(control-plane|nodes|logs|cache|kubeconfig|cluster\.json|processes\.json|lock)(\.\d+(\.new)?)?$/;

/** `cox reset`: as if the cluster had never been. */
export async function reset(options: { state?: string; yes?: boolean }): Promise<void> {
  const home = chosenHome(options.state, process.env);
  if (!existsSync(home.root)) {
    process.stdout.write(`There is nothing in ${home.root}.\n`);
    return;
  }
  const foreign = readdirSync(home.root).find((name) => !OURS.test(name));
  if (foreign !== undefined)
    throw new Failure(`${home.root} holds ${foreign}, which is not of a cluster: remove it yourself first`);
  if (!options.yes && !(await confirmed(home))) {
    process.stdout.write("Nothing was removed.\n");
    return;
  }
  const record = readClusterRecord(home);
  if (record.nodes.length > 0 && process.getuid?.() !== 0) {
    throw new Failure("its containers were started as root: run `cox reset` as root");
  }
  await runSteps([
    { title: "Stop the cluster", run: async () => ((await stopCluster(home)) ? undefined : "it was not running") },
    ...record.nodes.map((name, index) => ({
      title: `Remove the containers of ${name}`,
      run: (report: (text: string) => void) => {
        const namespace = record.bridge ? namespaceOf(record.bridge, index + 1) : undefined;
        return removeNode(home, name, { namespace, userContainerd: record.containerd }, report);
      },
    })),
    {
      title: "Remove the state",
      run: async () => {
        if (record.bridge) {
          removePodCgroups(cgroupRoot(record.bridge));
          await removeNetwork(record.bridge);
        }
        rmSync(home.root, { recursive: true, force: true });
        return home.root;
      },
    },
  ]);
}

async function confirmed(home: Home): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new Failure("reset asks before it removes everything: add --yes where nobody can answer", 2);
  const running = lockHolder(home) ? "stops the running cluster and " : "";
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await prompt.question(
      `This ${running}removes its containers, objects and keys in ${home.root}. Go on? [y/N] `,
    );
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}
