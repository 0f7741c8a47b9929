import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { AnswerBody } from '../routes/answer-body.ts';
import type { ErrorBody } from '../routes/error-response.ts';
import { AskError } from './ask-error.ts';

/**
 * Reads `/v1/query`'s stream: pieces of text, then the whole answer.
 * @throws AskError in the server's words, or where the stream ends before the answer
 */
export async function readAnswer(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onDelta: (text: string) => void,
): Promise<AnswerBody> {
  const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  const reader = events.getReader(); // Safari cannot iterate over a stream
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const { event, data } = next.value;
    if (event === 'error') throw new AskError((JSON.parse(data) as ErrorBody).error.message);
    const message = JSON.parse(data) as { readonly delta: string } | AnswerBody;
    if (!('delta' in message)) return message;
    onDelta(message.delta);
  }
  throw new AskError('The connection broke off before the answer was complete. Ask again.');
}
