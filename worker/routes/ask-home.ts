import type { HomeAnswer, HomeRequest, HomeRpc, WatchAnswer, WatchRequest } from "../../durable-objects/protocol.ts";
import type { Asked } from "./asked.ts";

/** Asks a home, and notes what its answer says of the request itself: by what it was judged, and what the audit log is told. */
export async function askHome(asked: Asked, home: HomeRpc, request: HomeRequest): Promise<HomeAnswer> {
  const { audited } = asked;
  if (audited) {
    request.audited = true;
    audited.sent(request);
  }
  const answer = await home.handle(request);
  asked.flow = answer.flow;
  audited?.answered(answer);
  return answer;
}

/** As `askHome`, for a watch. */
export async function askToWatch(asked: Asked, home: HomeRpc, request: WatchRequest): Promise<WatchAnswer> {
  const answer = await home.watch(request);
  asked.flow = answer.flow;
  asked.audited?.answered("body" in answer ? answer : { code: answer.code });
  return answer;
}

/** As `askHome`, for what is no object of its own: the audit log is told neither what the home was asked nor what it answered. */
export async function askToConnect(asked: Asked, home: HomeRpc, request: HomeRequest): Promise<HomeAnswer> {
  const { audited } = asked;
  if (audited) request.audited = true;
  const answer = await home.handle(request);
  asked.flow = answer.flow;
  const { code, body, annotations } = answer;
  audited?.answered({ code, ...(code >= 300 && { body }), ...(annotations && { annotations }) });
  return answer;
}
