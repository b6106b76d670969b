import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { containersOf, removeContainer } from "../support/containers.ts";
import { Cox, eventually } from "../support/cox.ts";
import { loadShellImage, onTerminal, Pods, STAYS, shell } from "../support/pods.ts";

// What kubectl carries out of containers and into them: logs, exec, cp. Real kubectl, real containers.

let cox: Cox;
let pods: Pods;

beforeAll(async () => {
  cox = await Cox.up();
  pods = new Pods(cox);
  await loadShellImage(cox);
});

afterAll(async () => {
  await cox?.destroy();
});

const refused = async (...args: string[]) => {
  const { code, stderr } = await cox.try("kubectl", args);
  return { code, stderr: stderr.trim() };
};

describe.concurrent("kubectl logs", () => {
  test("of one container and of all, from the start or the end", async () => {
    await pods.run("talks", {
      initContainers: [shell("prepare", "echo prepared; echo aside >&2")],
      containers: [
        shell("one", `for i in 1 2 3 4 5; do echo line $i; done; ${STAYS}`),
        shell("two", `echo other; ${STAYS}`),
      ],
    });
    await eventually("both have spoken", async () =>
      expect(await pods.logs("talks", "--all-containers")).toMatch(/line 5[\s\S]*other|other[\s\S]*line 5/),
    );
    const defaulted = await cox.try("kubectl", ["logs", "talks", "--tail=2"]);
    expect(defaulted.stdout).toBe("line 4\nline 5\n");
    expect(defaulted.stderr).toContain('Defaulted container "one" out of: one, two, prepare (init)');
    expect(await pods.logs("talks", "-c", "two")).toBe("other\n");
    expect((await pods.logs("talks", "-c", "prepare")).split("\n").sort()).toEqual(["", "aside", "prepared"]);
    expect(await pods.logs("talks", "-c", "one", "--tail=0")).toBe("");
    expect(await pods.logs("talks", "-c", "one", "--limit-bytes=10")).toBe("line 1\nlin");
    expect(await pods.logs("talks", "-c", "one", "--timestamps", "--tail=1")).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 5\n$/,
    );
    expect(await pods.logs("talks", "--all-containers", "--prefix")).toContain("[pod/talks/two] other\n");
    expect(await pods.logs("talks", "-c", "one", "--since-time=2020-01-01T00:00:00Z", "--tail=-1")).toContain(
      "line 1\n",
    );
    const later = new Date(Date.now() + 3_600_000).toISOString();
    expect(await pods.logs("talks", "-c", "one", `--since-time=${later}`)).toBe("");
    expect(await cox.kubectl(["logs", "-l", "app=talks", "-c", "two"])).toBe("other\n");
  });

  test("--since leaves out what is older", async () => {
    await pods.run("since", { containers: [shell("app", `echo old; sleep 4; echo new; ${STAYS}`)] });
    await eventually("new", async () => expect(await pods.logs("since")).toBe("old\nnew\n"));
    expect(await pods.logs("since", "--since=3s")).toBe("new\n");
  });

  test("-f follows to the end, over a pod's own end", async () => {
    await pods.create("follows", {
      restartPolicy: "Never",
      containers: [shell("app", "for i in 1 2 3; do echo $i; sleep 0.5; done")],
    });
    await pods.until("follows", "{.status.phase}", "Running");
    const followed = await pods.logs("follows", "-f");
    expect(followed).toBe("1\n2\n3\n");
  });

  test("--previous is the instance before", async () => {
    await pods.run("again", {
      containers: [shell("app", `echo life of $(hostname) $(cat /proc/sys/kernel/random/uuid); ${STAYS}`)],
    });
    expect(await refused("logs", "again", "--previous")).toEqual({
      code: 1,
      stderr: 'Error from server (BadRequest): previous terminated container "app" in pod "again" not found',
    });
    const first = await pods.logs("again");
    await pods.inside("again", "kill 1");
    await pods.until("again", "{.status.containerStatuses[0].restartCount}", "1");
    await pods.until("again", "{.status.containerStatuses[0].ready}", "true");
    expect(await pods.logs("again", "--previous")).toBe(first);
    expect(await pods.logs("again")).not.toBe(first);
  });

  test("says what there is no log of", async () => {
    await pods.create("no-image", { containers: [{ name: "app", image: "absent:v1", imagePullPolicy: "Never" }] });
    await pods.untilWaiting("no-image", "ErrImageNeverPull");
    expect((await refused("logs", "no-image")).stderr).toBe(
      'Error from server (BadRequest): container "app" in pod "no-image" is waiting to start: ErrImageNeverPull',
    );
    expect((await refused("logs", "nobody")).stderr).toBe(
      'error: error from server (NotFound): pods "nobody" not found in namespace "default"',
    );
    expect((await refused("logs", "no-image", "-c", "other")).stderr).toBe(
      "error: container other is not valid for pod no-image",
    );
    await pods.create("gone", { restartPolicy: "Never", containers: [shell("app", "echo here; sleep 5")] });
    await pods.until("gone", "{.status.phase}", "Running");
    const [container] = await containersOf(cox.home, "gone");
    await pods.until("gone", "{.status.phase}", "Succeeded");
    expect(await pods.logs("gone")).toBe("here\n");
    await removeContainer(container!);
    await eventually("its log is gone", async () =>
      expect(await pods.logs("gone")).toBe(`unable to retrieve container logs for containerd://${container!.id}`),
    );
    expect((await pods.get("gone")).status.phase).toBe("Succeeded");
  });
});

describe.concurrent("kubectl exec", () => {
  test("carries input, output, errors and exit codes", async () => {
    await pods.run("execs", { containers: [shell("app", STAYS), shell("side", STAYS)] });
    const exec = (flags: string[], command: string[], input?: string) =>
      cox.try("kubectl", ["exec", "execs", "-c", "app", ...flags, "--", ...command], input);
    expect(await exec([], ["sh", "-c", "echo out; echo err >&2; exit 3"])).toEqual({
      code: 3,
      stdout: "out\n",
      stderr: "err\ncommand terminated with exit code 3\n",
    });
    expect((await exec([], ["sh", "-c", "/etc/passwd"])).code).toBe(126);
    expect((await exec([], ["sh", "-c", "nonesuch"])).code).toBe(127);
    const input = "x".repeat(3_000_000);
    expect((await exec(["-i"], ["wc", "-c"], input)).stdout.trim()).toBe("3000000");
    const copied = await exec(["-i"], ["cat"], input);
    expect(copied.stdout === input).toBe(true);
    const unknown = await exec([], ["nonesuch"]);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toMatch(
      /^error: Internal error occurred: .*exec: "nonesuch": executable file not found in \$PATH: unknown\n$/,
    );
    const killed = await exec([], ["sh", "-c", "kill -9 $$"]);
    expect(killed.code).toBe(137);
    expect((await refused("exec", "execs", "-c", "nope", "--", "true")).stderr).toBe(
      "Error from server (BadRequest): container nope is not valid for pod execs",
    );
    expect(await pods.inside("execs", "hostname", "side")).toBe("execs\n");
  });

  test("-it has a terminal of the caller's size that follows it", async () => {
    await pods.run("terminal", { containers: [shell("app", STAYS)] });
    const sized = await onTerminal(
      cox,
      "kubectl exec -it terminal -- sh -c 'sleep 0.5; stty size; tty; exit 5'",
      "",
      "33 111",
    );
    expect(sized.stdout).toContain("33 111");
    expect(sized.stdout).toContain("/dev/pts/0");
    expect(sized.code).toBe(5);
    const typed = await onTerminal(cox, "kubectl exec -it terminal -- sh", "echo typed $((40 + 2))\nexit 7\n");
    expect(typed.stdout).toContain("typed 42");
    expect(typed.code).toBe(7);
    const resized = await onTerminal(
      cox,
      "(sleep 3; stty rows 12 cols 34 < /dev/tty) & kubectl exec -it terminal -- sh -c 'sleep 1; stty size; sleep 4; stty size'",
      "",
      "20 60",
    );
    expect(resized.stdout.replaceAll("\r", "")).toMatch(/20 60\n12 34\n/);
  });

  test("needs a container that runs", async () => {
    await pods.create("done", { restartPolicy: "Never", containers: [shell("app", "true")] });
    await pods.until("done", "{.status.phase}", "Succeeded");
    expect((await refused("exec", "done", "--", "true")).stderr).toBe(
      "error: cannot exec into a container in a completed pod; current phase is Succeeded",
    );
    await pods.create("asleep", { containers: [{ name: "app", image: "absent:v1", imagePullPolicy: "Never" }] });
    await pods.untilWaiting("asleep", "ErrImageNeverPull");
    expect((await refused("exec", "asleep", "--", "true")).stderr).toBe(
      'error: Internal error occurred: unable to upgrade connection: container not found ("app")',
    );
  });
});

describe.concurrent("kubectl attach and cp", () => {
  test("attach takes part in what the container's process says and hears", async () => {
    await pods.run("echoes", {
      containers: [
        shell("app", "while read line; do echo heard $line; done; echo done", { stdin: true, stdinOnce: true }),
      ],
      restartPolicy: "Never",
    });
    const attached = await cox.kubectl(["attach", "-i", "echoes"], "ahoy\n");
    expect(attached).toContain("heard ahoy\n");
    await pods.until("echoes", "{.status.phase}", "Succeeded");
  });

  test("kubectl run -i --rm runs a command to its end", async () => {
    const ran = await cox.try(
      "kubectl",
      ["run", "once", "-i", "--rm", "--restart=Never", "--image=shell:v1", "--", "wc", "-c"],
      "four",
    );
    expect(ran.stdout).toContain("4\n");
    expect(ran.stdout).toContain('pod "once" deleted');
    expect(ran.code).toBe(0);
  });

  test("kubectl attach -it and run -it --rm have the terminal of the container's process", async () => {
    await pods.run("prompts", {
      containers: [
        shell("app", 'while read line; do echo "heard $line of $(stty size)"; done', { stdin: true, tty: true }),
      ],
    });
    const attached = await onTerminal(cox, "(sleep 3; kill -INT $$) & kubectl attach -it prompts", "ahoy\n", "31 97");
    // kubectl says one more of each first, so that what draws there draws anew.
    expect(attached.stdout).toMatch(/heard ahoy of (31 97|32 98)/);
    const ran = await onTerminal(
      cox,
      "kubectl run shelled -it --rm --restart=Never --image=shell:v1 --command -- sh -c 'read line; echo got $line; exit 0'",
      "something\n",
    );
    expect(ran.stdout).toContain("got something");
    expect(ran.stdout).toContain('pod "shelled" deleted');
  });

  test("cp brings files in and out", async () => {
    const folder = await mkdtemp(join(tmpdir(), "coxswain-cp-"));
    try {
      await pods.run("copies", { containers: [shell("app", STAYS)] });
      const bytes = Buffer.from(Array.from({ length: 500_000 }, (_, index) => (index * 7919) % 256));
      await writeFile(join(folder, "in.bin"), bytes);
      await cox.kubectl(["cp", join(folder, "in.bin"), "copies:/tmp/in.bin"]);
      expect((await pods.inside("copies", "wc -c < /tmp/in.bin")).trim()).toBe("500000");
      await cox.kubectl(["cp", "copies:/tmp", join(folder, "out")]);
      expect((await readFile(join(folder, "out", "in.bin"))).equals(bytes)).toBe(true);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
