import type { IEvent } from "kubernetes-models/v1/Event";
import type { KubeObject } from "../object.ts";

export type EventObject = Omit<IEvent, "apiVersion" | "kind" | "metadata"> & KubeObject;
