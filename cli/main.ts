import { Command, CommanderError, InvalidArgumentError } from "commander";
import { errorColors } from "./colors.ts";
import { Failure } from "./failure.ts";
import { NODES_MAX } from "./node/network.ts";

/** One node-agent simulates no more. */
const SIMULATED_MAX = 5000;
const USAGE_EXIT_CODE = 2;
/** One below the versions that the server tells: what a version changed is told by the one before it. */
const HISTORY_MAX = 99;
const HISTORY_DEFAULT = 20;

const stateOption = [
  "--state <folder>",
  "where the cluster keeps everything (default: $COXSWAIN_HOME, or ~/.coxswain)",
] as const;
const clusterOption = ["--cluster <name>", "a cluster of this control plane (default: default)"] as const;
const atOption = [
  "--at <time>",
  "as it was then: RFC 3339 (2026-01-31T12:00:00Z), or how long ago (45s, 10m, 1h30m)",
] as const;
const namespaceOption = ["-n, --namespace <name>", "where the object is", "default"] as const;

function program(): Command {
  const cox = new Command("cox")
    .description("Kubernetes whose control plane is serverless: a cluster on this machine")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "cox: ")) })
    .showHelpAfterError("(cox --help tells more)");

  cox
    .command("up")
    .description("start the cluster, and this machine as its node")
    .option("--detach", "return when the cluster is ready, and leave it running")
    .option(
      "--nodes <number>",
      "nodes with containers; from the second on each has a network namespace",
      numberUpTo(NODES_MAX),
      1,
    )
    .option("--simulated <number>", "further nodes that only pretend to run containers", numberUpTo(SIMULATED_MAX), 0)
    .option("--containerd <socket>", "use the containerd behind this socket (default: an own one)")
    .option("--examples", "make the images of examples/ and load them into the nodes, ready to be applied")
    .option("--port <number>", "where the API listens on 127.0.0.1", numberUpTo(65_535, 1), 6443)
    .option("--audit-policy <file>", "write down what is asked of the API, as far as this audit.k8s.io/v1 Policy says")
    .option("--audit-log <file>", "where it is written (default: logs/audit.log of the cluster)")
    .option(...stateOption)
    .action(async (options) => {
      if (options.auditLog && !options.auditPolicy)
        throw new Failure("--audit-log needs --audit-policy: it says what is written", 2);
      if (options.containerd && options.nodes > 1)
        throw new Failure("--containerd names one containerd: leave --nodes at 1", 2);
      await (await import("./commands/up.ts")).up(options);
    });
  cox
    .command("down")
    .description("stop the cluster; objects and running containers stay as they are")
    .option(...stateOption)
    .action(async (options) => (await import("./commands/down.ts")).down(options));
  cox
    .command("status")
    .description("show what runs (exit code 1 where nothing does)")
    .option("--json", "as JSON: workerd's and each node's process")
    .option(...stateOption)
    .action(async (options) => (await import("./commands/status.ts")).status(options));
  cox
    .command("kubeconfig")
    .description("print the admin's kubeconfig; with --at, of the cluster as it was: for reading alone")
    .option(...clusterOption)
    .option(...atOption)
    .option(...stateOption)
    .action(async (options) => (await import("./commands/kubeconfig.ts")).printKubeconfig(options));
  cox
    .command("reset")
    .description("stop the cluster and remove all of it: containers, networks, objects, keys")
    .option("--yes", "do not ask")
    .option(...stateOption)
    .action(async (options) => (await import("./commands/reset.ts")).reset(options));
  cox
    .command("image")
    .description("images in the nodes' containerd")
    .command("load <archive>")
    .description("import an OCI or docker archive into every node, and print the names that pods can use")
    .option(...stateOption)
    .action(async (archive, options) => (await import("./commands/image-load.ts")).loadImages(archive, options));

  const snapshot = cox.command("snapshot").description("a whole cluster, at one revision, in one file");
  snapshot
    .command("save <file>")
    .description("write one; it holds the cluster's secrets, and is for its owner alone")
    .option(...atOption)
    .option(...clusterOption)
    .option("--force", "replace the file where it is there already")
    .option(...stateOption)
    .action(async (file, options) => (await import("./commands/snapshot-save.ts")).saveSnapshot(file, options));
  snapshot
    .command("restore <file>")
    .description("make a new cluster of one: all of it, or nothing")
    .option("--as <name>", "what to call the new cluster (default: as the one that was saved)")
    .option(...stateOption)
    .action(async (file, options) => (await import("./commands/snapshot-restore.ts")).restoreSnapshot(file, options));
  snapshot
    .command("status <file>")
    .description("verify one, and tell what is in it (exit code 1 where it is damaged)")
    .option("--json", "as JSON")
    .option(...stateOption)
    .action(async (file, options) => (await import("./commands/snapshot-status.ts")).snapshotStatus(file, options));
  cox
    .command("fork")
    .description("make a new cluster with all that another one has, or had")
    .requiredOption("--as <name>", "what to call the new cluster")
    .option(...atOption)
    .option(...clusterOption)
    .option(...stateOption)
    .action(async (options) => (await import("./commands/fork.ts")).fork(options));
  cox
    .command("history <kind/name>")
    .description("show an object's versions: when, who, and what changed")
    .option(...namespaceOption)
    .option(...clusterOption)
    .option("--limit <number>", "versions at most, the newest first", numberUpTo(HISTORY_MAX, 1), HISTORY_DEFAULT)
    .option("--json", "as JSON, with all changes")
    .option(...stateOption)
    .action(async (object, options) => (await import("./commands/history.ts")).history(object, options));
  cox
    .command("undo <kind/name>")
    .description("put an object back as it was before its last change, also one that was deleted")
    .option(...namespaceOption)
    .option(...clusterOption)
    .option("--to <revision>", "as it was at this revision", numberUpTo(Number.MAX_SAFE_INTEGER, 1))
    .option(...stateOption)
    .action(async (object, options) => (await import("./commands/undo.ts")).undo(object, options));
  return cox;
}

function numberUpTo(max: number, min = 0): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < min || number > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return number;
  };
}

/** Exit codes: 0 done, 1 failed, 2 asked wrongly. */
async function main(): Promise<number> {
  try {
    await program().parseAsync();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE; // It has printed what it has to say.
    const text =
      error instanceof Failure ? error.message : `an error of cox itself: ${(error as Error)?.stack ?? error}`;
    process.stderr.write(`${errorColors.red("cox:")} ${text}\n`);
    return error instanceof Failure ? error.exitCode : 1;
  }
}

process.exitCode = await main();
