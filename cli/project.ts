import { dirname, join } from "node:path";

/** The folder that holds package.json, whatever directory the command was started in. */
export const PROJECT = dirname(import.meta.dirname);

/** A path below the project's folder. */
export const projectPath = (...parts: string[]): string => join(PROJECT, ...parts);
