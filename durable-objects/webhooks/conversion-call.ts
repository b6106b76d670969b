import { httpFailure } from "../../api/admission/denial.ts";
import { sameJson } from "../../api/equality.ts";
import { isObject, type JsonObject } from "../../api/json-value.ts";
import type { KubeObject } from "../../api/object.ts";
import { unknownError } from "../../api/status.ts";
import { callOf } from "../admission/webhook-call.ts";
import type { Conversion, ConversionCaller } from "../catalog/conversion.ts";
import type { WebhookTransport } from "./webhook-transport.ts";

/** How long a conversion webhook has (apiextensions-apiserver pkg/apiserver/conversion). */
const TIMEOUT_MILLISECONDS = 30_000;
const VERSION = "v1";

/** Calls conversion webhooks with ConversionReviews of apiextensions.k8s.io/v1. */
export const conversionCaller =
  (transport: WebhookTransport, uuid: () => string): ConversionCaller =>
  async ({ definition, desiredAPIVersion, objects }: Conversion): Promise<KubeObject[]> => {
    const { webhook } = definition.spec.conversion ?? {};
    const name = definition.metadata.name;
    const refuse = (why: string) =>
      unknownError(`conversion webhook for ${objects[0]?.apiVersion ?? ""}, Kind=${objects[0]?.kind ?? ""} ${why}`);
    if (!webhook?.clientConfig) throw refuse(`failed: ${name} has no clientConfig`);
    if (!webhook.conversionReviewVersions?.includes(VERSION)) {
      throw refuse("failed: no supported conversion review versions");
    }
    const uid = uuid();
    const body = JSON.stringify({
      kind: "ConversionReview",
      apiVersion: `apiextensions.k8s.io/${VERSION}`,
      request: { uid, desiredAPIVersion, objects },
    });
    let answer: string;
    try {
      const reply = await transport.post(callOf(webhook.clientConfig, body, TIMEOUT_MILLISECONDS));
      if (reply.code < 200 || reply.code > 206) {
        const isText = reply.contentType === "" || reply.contentType.startsWith("text/");
        throw new Error(httpFailure(reply.code, reply.body, isText));
      }
      answer = reply.body;
    } catch (error) {
      throw refuse(`failed: ${(error as Error).message}`);
    }
    let results: unknown[];
    try {
      results = readConverted(answer, uid);
    } catch (error) {
      throw refuse(`failed: ${(error as Error).message}`);
    }
    try {
      return converted(results, objects, desiredAPIVersion);
    } catch (error) {
      throw refuse(`returned ${(error as Error).message}`);
    }
  };

/** The objects of a ConversionReview's response. @throws Error */
function readConverted(text: string, uid: string): unknown[] {
  const review: unknown = JSON.parse(text);
  const { response, kind, apiVersion } = isObject(review) ? review : ({} as JsonObject);
  if (!isObject(response)) throw new Error("no response provided");
  if (response["uid"] !== uid) {
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response["uid"] ?? "")}`);
  }
  if (kind !== "ConversionReview" || apiVersion !== `apiextensions.k8s.io/${VERSION}`) {
    throw new Error(
      `expected webhook response of apiextensions.k8s.io/${VERSION}, Kind=ConversionReview, got ${apiVersion}, Kind=${kind}`,
    );
  }
  const { status, message } = isObject(response["result"]) ? response["result"] : ({} as JsonObject);
  if (status !== "Success") {
    throw new Error(
      typeof message === "string" && message !== ""
        ? message
        : `response.result.status was '${status ?? ""}', not 'Success'`,
    );
  }
  const { convertedObjects } = response;
  return Array.isArray(convertedObjects) ? convertedObjects : [];
}

/** Of the metadata, a webhook may change labels and annotations; what an object is, it may not change. @throws Error */
function converted(results: readonly unknown[], objects: readonly KubeObject[], apiVersion: string): KubeObject[] {
  if (results.length !== objects.length) throw new Error(`${results.length} objects, expected ${objects.length}`);
  return results.map((result, i) => {
    const original = objects[i]!;
    const at = `invalid converted object at index ${i}: `;
    if (!isObject(result) || !isObject(result["metadata"]))
      throw new Error(`${at}invalid metadata of type ${typeof result}`);
    const { kind, apiVersion: given, metadata } = result as unknown as KubeObject;
    if (given !== apiVersion) throw new Error(`${at}invalid groupVersion (expected ${apiVersion}, received ${given})`);
    if (kind !== original.kind) throw new Error(`${at}invalid kind (expected ${original.kind}, received ${kind})`);
    for (const field of ["name", "namespace", "uid"] as const) {
      if (!sameJson(metadata[field] || undefined, original.metadata[field] || undefined)) {
        throw new Error(
          `${at}must have the same ${field === "uid" ? "UID" : field}: ${original.metadata[field]} != ${metadata[field]}`,
        );
      }
    }
    const { labels, annotations } = metadata;
    for (const [field, value] of Object.entries({ labels, annotations })) {
      if (
        value !== undefined &&
        value !== null &&
        !(isObject(value) && Object.values(value).every((each) => typeof each === "string"))
      ) {
        throw new Error(`invalid metadata in object at index ${i}: invalid metadata.${field} in converted object`);
      }
    }
    const { labels: _, annotations: __, ...kept } = original.metadata;
    return {
      ...(result as unknown as KubeObject),
      metadata: { ...kept, ...(labels && { labels }), ...(annotations && { annotations }) },
    };
  });
}
