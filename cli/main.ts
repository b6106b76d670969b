import { Command, CommanderError, InvalidArgumentError } from "commander";
import { errorColors } from "./colors.ts";
import { Failure } from "./failure.ts";
import { NODES_MAX } from "./node/network.ts";

/** One node-agent simulates no more. */
const SIMULATED_MAX = 5000;
const USAGE_EXIT_CODE = 2;

const stateOption = [
  "--state <folder>",
  "where the cluster keeps everything (default: $COXSWAIN_HOME, or ~/.coxswain)",
] as const;

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
    .option(...stateOption)
    .action(async (options) => {
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
    .description("print the admin's kubeconfig")
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
