/** Who may import whom. The sentences are explained in ARCHITECTURE.md, "Layers". */
const TESTS = "\\.test\\.ts$";
const rule = (name, from, to, comment) => ({ name, severity: "error", comment, from, to });

module.exports = {
  forbidden: [
    rule("no-cycles", {}, { circular: true }, "A cycle is two modules that are really one."),
    rule(
      "api-is-pure",
      { path: "^api/", pathNot: TESTS },
      { path: "^(worker|durable-objects|node-agent|cli|scripts|test)/|^node:" },
      "api imports only api: it runs anywhere.",
    ),
    rule(
      "decisions-are-pure",
      { path: "^durable-objects/(controllers|scheduling)/|^node-agent/pod-actions\\.ts", pathNot: TESTS },
      {
        path: "^(worker|cli|scripts|test)/|^node:|^cloudflare:|^durable-objects/(?!controllers/|scheduling/)|^node-agent/(?!pod-actions)",
      },
      "Decisions see api and their own interface: no clock, no randomness, no I/O.",
    ),
    rule(
      "store-knows-sql-only",
      { path: "^durable-objects/store/", pathNot: TESTS },
      { path: "^(worker|node-agent|cli|scripts|test)/|^node:|^cloudflare:|^durable-objects/(?!store/)" },
      "The same store runs on a Durable Object and on Node's SQLite.",
    ),
    rule(
      "worker-sees-homes-through-rpc",
      { path: "^worker/", pathNot: `${TESTS}|^worker/main\\.ts$` },
      { path: "^durable-objects/(?!protocol\\.ts|revision\\.ts)|^node-agent/|^cli/" },
      "The worker knows the homes' protocol and what a revision is, not their code; main.ts alone exports the classes to the platform.",
    ),
    rule(
      "homes-do-not-see-the-worker",
      { path: "^durable-objects/", pathNot: TESTS },
      { path: "^(worker|node-agent|cli|scripts|test)/" },
      "State does not know who asks or in which format.",
    ),
    rule(
      "clients-speak-http",
      { path: "^(node-agent|cli)/", pathNot: TESTS },
      { path: "^(worker|durable-objects)/" },
      "node-agent and cli import api, and speak HTTP and WebSocket.",
    ),
    rule(
      "no-dev-dependencies",
      { path: "^(api|worker|durable-objects|node-agent|cli)/", pathNot: TESTS },
      { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"], pathNot: "kubernetes-models|workers-types" },
      "A dev dependency is missing in production.",
    ),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    parser: "swc",
    tsPreCompilationDeps: true,
    exclude: { path: "node_modules/\\.cache" },
  },
};
