import type { RequestContext } from '../pipeline/request-context.ts';

/**
 * What some work tells piece by piece, and at the end its result. The work goes on when a piece has
 * been taken; the signal's end is the end of it.
 */
export async function* pieces<Piece, Result>(
  { signal, waitUntil }: RequestContext,
  work: (tell: (piece: Piece) => Promise<void>) => Promise<Result>,
): AsyncGenerator<Piece, Result> {
  const { readable, writable } = new TransformStream<Piece, Piece>({
    // Nobody may be reading any more, and the work must not wait for ever to be heard.
    start: (told) => signal.addEventListener('abort', () => told.error(signal.reason)),
  });
  const writer = writable.getWriter();
  const working = work((piece) => writer.write(piece));
  const ended = working.then(
    () => writer.close(),
    (error: unknown) => writer.abort(error),
  );
  // The stream tells its reader of a failure. Without waitUntil, workerd drops the work where it stands
  // when the client leaves, and what the pipeline holds would never be released.
  waitUntil(ended.catch(() => undefined));
  yield* readable;
  return working;
}
