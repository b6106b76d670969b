import { app } from "./app.ts";

export { ClusterHome } from "../durable-objects/cluster.ts";
export { NamespaceHome } from "../durable-objects/namespace.ts";
export { NodeLink } from "../durable-objects/node-link.ts";
export { Scheduler } from "../durable-objects/scheduler.ts";
export { Timeline } from "../durable-objects/timeline.ts";

export default app;
