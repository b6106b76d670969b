import { expect, test } from "vitest";
import { workerdConfig } from "./workerd-config.ts";

const config = {
  module: "/home/me/control-plane/worker-1.js",
  addresses: ["127.0.0.1:6443", "172.31.200.1:6443"],
  certificate: "/home/me/control-plane/server.crt",
  key: "/home/me/control-plane/server.key",
  signingKey: "/home/me/control-plane/signing.key",
  caCertificate: "/home/me/control-plane/ca.crt",
  objects: '/home/"me"/objects',
  variables: { SERVICE_CIDR: "10.96.0.0/16" },
};

test("every address gets a TLS socket", () => {
  const text = workerdConfig(config);
  for (const address of config.addresses) expect(text).toContain(`address = "${address}"`);
  expect(text.match(/tlsOptions = \(keypair/g)).toHaveLength(2);
});

test("secrets are embedded by their file's name, not written down", () => {
  expect(workerdConfig(config)).toContain('(name = "SIGNING_KEY", text = embed "signing.key")');
});

test("quotes in a path are escaped", () => {
  expect(workerdConfig(config)).toContain('path = "/home/\\"me\\"/objects"');
});

test("each Durable Object class has SQLite and a key that never changes", () => {
  const text = workerdConfig(config);
  for (const className of ["NamespaceHome", "ClusterHome", "Timeline", "Scheduler", "NodeLink"]) {
    expect(text).toContain(`(className = "${className}", uniqueKey = "coxswain-${className}", enableSql = true)`);
  }
});

test("a control plane that audits is bound to what keeps its log, another is not", () => {
  expect(workerdConfig(config)).not.toContain("AUDIT_LOG");
  const text = workerdConfig({ ...config, auditSocket: "/home/me/control-plane/audit.sock" });
  expect(text).toContain('(name = "AUDIT_LOG", service = "audit-log")');
  expect(text).toContain('external = (address = "unix:/home/me/control-plane/audit.sock", http = ())');
});
