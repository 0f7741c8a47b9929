import { form, photo, startWorker, type TestWorker } from '../../test/workerd/worker.ts';
import { corpus } from './images/corpus.ts';
import type { Specimen } from './images/specimen.ts';
import type { Row, Section } from './report.ts';

const STATUS: Readonly<Record<string, number>> = {
  invalid_image: 422,
  image_too_large: 413,
  unsupported_image: 415,
};

/** An empty file is a missing image to the route, before anyone looks into it. */
const EMPTY = 'nothing';

/** Whole kinds of the corpus, and of the bombs those that are small to send and large to decode. */
const isSent = ({ kind, name }: Specimen): boolean =>
  (['Other types', 'Files that are both', 'Known deaths'].includes(kind) && name !== EMPTY) ||
  (kind.endsWith('bombs') && /30,000|swells|largest|scans|500 megapixels|byte in each/.test(name)) ||
  (kind.endsWith('damaged') && /^file ends in|30000x30000|wrong (CRC|Adler)|lossless/.test(name));

/** A part of the corpus through the real Worker in workerd: its status codes, and that the next request is well. */
export const imagesOverHttp: Section = {
  name: 'images-http',
  title: 'Images sent to the Worker in workerd',
  async run({ progress }) {
    const sent = corpus.filter(isSent);
    const worker = await startWorker();
    try {
      const outcomes: Record<string, number> = {};
      const failures: string[] = [];
      let slowest = { ms: 0, name: '' };
      await nextIsWell(worker); // loads the model
      for (const [index, specimen] of sent.entries()) {
        progress(index, sent.length, specimen.name);
        const start = performance.now();
        const { status, failure } = await send(worker, specimen);
        const ms = performance.now() - start;
        if (ms > slowest.ms) slowest = { ms, name: specimen.name };
        outcomes[status] = (outcomes[status] ?? 0) + 1;
        const next = await nextIsWell(worker);
        failures.push(...[failure, next].flatMap((what) => (what ? [`${specimen.name}: ${what}`] : [])));
      }
      return [rowOf(sent.length, outcomes, failures, slowest)];
    } finally {
      await worker.close();
    }
  },
};

const rowOf = (
  tried: number,
  outcomes: Row['outcomes'],
  failures: readonly string[],
  slowest: { readonly ms: number; readonly name: string },
): Row => ({
  ...{ kind: 'POST /v1/caption', tried, outcomes, failures },
  ...{ slowest_ms: slowest.ms, slowest: slowest.name, peak_mb: null },
});

async function send(
  worker: TestWorker,
  { bytes, expected }: Specimen,
): Promise<{ readonly status: number; readonly failure: string | null }> {
  const image = new Blob([bytes() as Uint8Array<ArrayBuffer>]);
  const response = await worker.fetch('/v1/caption', form({ image, max_new_tokens: '1' }));
  const text = await response.text();
  const wanted = 'code' in expected ? (STATUS[expected.code] ?? 0) : 200;
  if (response.status !== wanted) {
    return { status: response.status, failure: `${response.status} for ${wanted}: ${text}` };
  }
  if (!('code' in expected)) return { status: response.status, failure: null };
  const { error } = JSON.parse(text) as { error: { code: string; param: string; message: string } };
  const isRight =
    error.code === expected.code && error.param === 'image' && !/[/\\]\w+\.(ts|js)/.test(error.message);
  return { status: response.status, failure: isRight ? null : text };
}

/** Null where a photo is answered as ever. */
async function nextIsWell(worker: TestWorker): Promise<string | null> {
  const image = new Blob([await photo('rocket.jpg')]);
  const prompt = 'How many people are there?';
  const response = await worker.fetch('/v1/query', form({ image, prompt }));
  const text = await response.text();
  return response.status === 200 && text.includes('"Two."')
    ? null
    : `the next request: ${response.status} ${text}`;
}
