/** The Kubernetes API that is served, and this build of it (`+` as other distributions mark theirs). */
export const API_VERSION = "v1.36.0";

/** `GET /version`. */
export const VERSION = {
  major: "1",
  minor: "36",
  emulationMajor: "1",
  emulationMinor: "36",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "35",
  gitVersion: `${API_VERSION}+coxswain`,
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "workerd",
  platform: "cloudflare/worker",
};
