import { createApp } from '../../../src/app.ts';
import { ANSWER, recordingPipeline } from '../recording-pipeline.ts';

/** A Worker whose answers never end by themselves; `GET /ended` says how the last one did. */
let ended = 'not';

const app = createApp(() =>
  recordingPipeline(async ({ signal }, onText) => {
    try {
      for (let word = 0; word < 1000; word++) {
        await onText(`word ${word} `);
        await new Promise((next) => setTimeout(next, 10));
        signal.throwIfAborted();
      }
      return ANSWER;
    } finally {
      ended = signal.aborted ? 'aborted' : 'by itself';
    }
  }),
);
app.get('/ended', (c) => c.text(ended));

export default app;
