import { basename } from 'node:path';
import { SHARDS } from '../model/default-model.ts';
import { readBundle, faultySource, type FaultKind, type Files, type FaultySource } from './faulty-source.ts';
import { secondBundle } from './second-bundle.ts';
import { startServer, type Asked, type Server } from './server.ts';
import { tierFaults } from './tier-faults.ts';

/** What was tried, what must happen and what did. */
export interface FaultRow {
  readonly name: string;
  readonly expected: string;
  readonly got: string;
  readonly ok: boolean;
}

/** A fault, tried on servers of its own. */
export type Trial = () => Promise<FaultRow>;

export interface Stand {
  readonly id: string;
  readonly files: Files;
  /** Photos, with what an undisturbed server answers about them. */
  readonly image: Uint8Array<ArrayBuffer>;
  readonly other_image: Uint8Array<ArrayBuffer>;
  readonly answer: string;
  readonly other_answer: string;
}

const KINDS: readonly FaultKind[] = [
  ...(['404', '500', 'hang', 'stalled body', 'slow drip'] as const),
  ...(['connection lost', 'truncation', 'flipped bit', 'too long'] as const),
];
const AT_A_TIME = 8;

/**
 * Every fault of storage through the whole of Glimpse on Node, against the undisturbed answers.
 * @param folder of the bundle
 * @param images two photos, as encoded bytes
 */
export async function* faultMatrix(
  folder: string,
  images: readonly [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>],
): AsyncGenerator<FaultRow> {
  const stand = await undisturbed(basename(folder), await readBundle(folder), images);
  const trials = [...fileFaults(stand), ...(await deploymentFaults(stand)), ...tierFaults(stand)];
  for (let at = 0; at < trials.length; at += AT_A_TIME) {
    yield* await Promise.all(trials.slice(at, at + AT_A_TIME).map((trial) => trial()));
  }
}

async function undisturbed(
  id: string,
  files: Files,
  [image, other_image]: readonly [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>],
): Promise<Stand> {
  const answer = await answerOf(id, files, image);
  const other_answer = await answerOf(id, files, other_image);
  if (answer === other_answer) throw new Error('the two photos have one answer');
  return { id, files, image, other_image, answer, other_answer };
}

async function answerOf(id: string, files: Files, image: Uint8Array<ArrayBuffer>): Promise<string> {
  const { status, body } = await startServer(id, faultySource(files)).ask(image);
  if (status !== 200 || body.answer === undefined) throw new Error(`undisturbed: ${JSON.stringify(body)}`);
  return body.answer;
}

/** Each file of the bundle that a question needs, in each way, once and until it is mended. */
function fileFaults(stand: Stand): Trial[] {
  const names = [...stand.files.keys()].filter((name) => name !== 'README.md');
  return KINDS.flatMap((kind) => [
    ...names.map((file) => () => failsOnce(stand, file, kind)),
    ...names.map((file) => () => failsUntilMended(stand, file, kind)),
  ]);
}

async function failsOnce(
  { id, files, image, answer }: Stand,
  file: string,
  kind: FaultKind,
): Promise<FaultRow> {
  const source = faultySource(files);
  source.fail(file, kind, 1);
  return row(`${file}: ${kind}, once`, [answer], [await startServer(id, source).ask(image)]);
}

async function failsUntilMended(
  { id, files, image, answer }: Stand,
  file: string,
  kind: FaultKind,
): Promise<FaultRow> {
  const source = faultySource(files);
  const server = startServer(id, source);
  source.fail(file, kind, Infinity);
  const during = await server.ask(image);
  source.heal();
  const got = [during, await server.ask(image)];
  return row(`${file}: ${kind}, until mended`, [unavailable(file), answer], got);
}

const TEXT_SHARD = SHARDS.text;

/** Another bundle put in the place of the one in use, whole, by halves and at every step of a question. */
async function deploymentFaults({ id, files, image, answer }: Stand): Promise<Trial[]> {
  const next = await secondBundle(files);
  const answer_after = await answerOf(id, next, image);
  if (answer_after === answer) throw new Error('the second bundle answers like the first');
  const oldUnderNew = new Map([...files, ['manifest.json', next.get('manifest.json') ?? new Uint8Array()]]);
  const newUnderOld = new Map([...next, ['manifest.json', files.get('manifest.json') ?? new Uint8Array()]]);
  const onlyText = new Map([...files, [TEXT_SHARD, next.get(TEXT_SHARD) ?? new Uint8Array()]]);
  type Step = (server: Server, source: FaultySource) => Promise<void>;
  const nothing: Step = () => Promise.resolve();
  const embed: Step = (server) => server.embed(image);
  const ask: Step = async (server) => {
    await server.ask(image);
  };

  const trial =
    (name: string, before: Step, stages: readonly (readonly [Files, string])[]): Trial =>
    async () => {
      const source = faultySource(files);
      const server = startServer(id, source);
      await before(server, source);
      const got: Asked[] = [];
      for (const [lying] of stages) {
        source.files = lying;
        got.push(await server.ask(image));
      }
      return row(
        name,
        stages.map(([, expected]) => expected),
        got,
      );
    };

  const fetches = await countFetches(id, files, image);
  const atEveryStep = Array.from({ length: fetches }, (_, step): Trial => async () => {
    const source = faultySource(files);
    const server = startServer(id, source);
    let fetched = 0;
    source.onFetch = () => {
      if (fetched++ === step) source.files = next;
    };
    return row(`deployed before fetch ${step + 1} of ${fetches}`, [answer_after], [await server.ask(image)]);
  });

  return [
    trial('old shards under a new manifest', nothing, [
      [oldUnderNew, unavailable('')],
      [next, answer_after],
    ]),
    trial('new shards under an old manifest', nothing, [
      [newUnderOld, unavailable('')],
      [next, answer_after],
    ]),
    trial('deployed between the halves', embed, [[next, answer_after]]),
    trial('half deployed between the halves', embed, [
      [onlyText, unavailable(TEXT_SHARD)],
      [next, answer_after],
    ]),
    trial('half deployed, then taken back', embed, [
      [onlyText, unavailable(TEXT_SHARD)],
      [files, answer],
    ]),
    trial('deployed when all is in memory', ask, [[next, answer]]),
    ...atEveryStep,
  ];
}

async function countFetches(id: string, files: Files, image: Uint8Array<ArrayBuffer>): Promise<number> {
  const source = faultySource(files);
  let fetches = 0;
  source.onFetch = () => {
    fetches += 1;
  };
  await startServer(id, source).ask(image);
  return fetches;
}

const unavailable = (file: string): string => `503 shard_unavailable ${file}`.trim();

/** @param expected an answer, or the beginning of `told` */
export function row(name: string, expected: readonly string[], got: readonly Asked[]): FaultRow {
  const told = got.map(outcome);
  const ok =
    told.length === expected.length && told.every((text, index) => text.startsWith(expected[index] ?? '?'));
  return { name, expected: expected.join(', then '), got: told.join(', then '), ok };
}

/** The answer, or status, code and message; a 503 without Retry-After is told as such. */
function outcome({ status, retry_after, body }: Asked): string {
  if (status === 200) return body.answer ?? 'no answer';
  const { code, message } = body.error ?? { code: 'no error', message: '' };
  return `${status} ${code} ${message}${status === 503 && retry_after === null ? ' (no Retry-After)' : ''}`;
}
