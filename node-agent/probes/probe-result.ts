/** How one probe ended. */
export interface ProbeResult {
  /** `unknown`: the probe itself could not be made; it does not count. */
  outcome: "success" | "failure" | "unknown";
  output: string;
}
