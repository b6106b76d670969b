import { expect, test } from "vitest";
import type { Image } from "./runtime/runtime.ts";
import { containerSecurity } from "./security.ts";

const IMAGE: Image = { id: "i", tags: [], digests: [], sizeBytes: 1, username: "" };
const security = (own: object, pod: object = {}, image: Image = IMAGE) => {
  const container = { name: "app", image: "a", securityContext: own };
  const spec = { containers: [container], securityContext: pod };
  const metadata = { name: "web", namespace: "default", uid: "u1" };
  return containerSecurity({ apiVersion: "v1", kind: "Pod", metadata, spec }, container, image);
};

test("nothing said is the runtime's own user, with /proc and /sys masked", () => {
  const result = security({});
  expect(result).toMatchObject({
    privileged: false,
    readonlyRootfs: false,
    noNewPrivileges: false,
    seccomp: { type: "Unconfined" },
  });
  expect(result.runAsUser).toBeUndefined();
  expect(result.maskedPaths).toContain("/proc/kcore");
  expect(result.readonlyPaths).toContain("/proc/sys");
});

test("the container's own context wins over the pod's", () => {
  expect(
    security({ runAsUser: 1 }, { runAsUser: 2, runAsGroup: 3, fsGroup: 4, supplementalGroups: [5] }),
  ).toMatchObject({
    runAsUser: 1,
    runAsGroup: 3,
    supplementalGroups: [5, 4],
  });
});

test("a group alone comes with the image's user, since a runtime takes no group without one", () => {
  expect(security({ runAsGroup: 3 }, {}, { ...IMAGE, uid: 7 })).toMatchObject({ runAsUser: 7, runAsGroup: 3 });
});

test("a privileged container sees everything", () => {
  expect(security({ privileged: true })).toMatchObject({ privileged: true, maskedPaths: [], readonlyPaths: [] });
});

test("capabilities, read-only root and privilege escalation are passed on", () => {
  const own = {
    capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
  };
  expect(security(own)).toMatchObject({
    addCapabilities: ["NET_ADMIN"],
    dropCapabilities: ["ALL"],
    readonlyRootfs: true,
    noNewPrivileges: true,
  });
});

test.each([
  [{ runAsNonRoot: true, runAsUser: 0 }, IMAGE, "container's runAsUser breaks non-root policy"],
  [{ runAsNonRoot: true }, IMAGE, "container has runAsNonRoot and image will run as root"],
  [
    { runAsNonRoot: true },
    { ...IMAGE, username: "web" },
    "image has non-numeric user (web), cannot verify user is non-root",
  ],
])("%j is refused for a root image", (own, image, message) => {
  expect(() => security(own, {}, image)).toThrow(`${message} (pod: "web_default(u1)", container: app)`);
});

test.each([
  [{ runAsNonRoot: true, runAsUser: 5 }, IMAGE],
  [{ runAsNonRoot: true }, { ...IMAGE, uid: 5 }],
])("%j is met", (own, image) => {
  expect(() => security(own, {}, image)).not.toThrow();
});
