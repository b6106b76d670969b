/** The same answer; `ended` is called once its body has been read, or its reader has gone. */
export function whenRead(response: Response, ended: () => void): Response {
  const { body } = response;
  if (!body) {
    ended();
    return response;
  }
  const reader = body.getReader();
  const watched = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { value, done } = await reader.read();
          if (!done) controller.enqueue(value);
          else {
            ended();
            controller.close();
          }
        } catch (error) {
          ended();
          throw error;
        }
      },
      async cancel(reason) {
        ended();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(watched, response);
}
