import { Failure } from "../failure.ts";
import { chosenHome, readIfThere } from "../home.ts";

/** `cox kubeconfig`: prints it, for a pipe or a redirection. */
export function printKubeconfig(options: { state?: string }): void {
  const home = chosenHome(options.state, process.env);
  const text = readIfThere(home.kubeconfig);
  if (text === undefined) throw new Failure(`there is no cluster in ${home.root}: make one with \`cox up\``);
  process.stdout.write(text);
}
