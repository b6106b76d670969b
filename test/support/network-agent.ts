/**
 * The network of one node alone, as a process of its own, so that it can run in a network namespace: takes the
 * options as JSON in its first argument, and then a JSON text a line on its standard input: `{"update": WatchMessage}`,
 * `{"settle": true}`, `{"close": {"cleanup": boolean}}`. Each is answered by a line: `{}` or `{"error": …}`.
 */
import { createInterface } from "node:readline";
import { pino } from "pino";
import { startNetwork } from "../../node-agent/network/network.ts";

const log = pino({ level: "warn" }, pino.destination(2));
const answer = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);

const network = await startNetwork({ ...JSON.parse(process.argv[2]!), log });
answer({});
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    if (command.update) network.update(command.update);
    if (command.settle) await Promise.all([network.ready(), network.settled()]);
    if (command.close) await network.close(command.close);
    answer({});
  } catch (error) {
    answer({ error: String(error) });
  }
  if (command.close) break;
}
process.stdin.destroy();
