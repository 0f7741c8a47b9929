import { readFileSync } from 'node:fs';
import type { CacheTier } from '../../src/cache/cache-tier.ts';
import { faultySource } from './faulty-source.ts';
import type { FaultRow, Stand, Trial } from './fault-matrix.ts';
import { row } from './fault-matrix.ts';
import { startServer, type Asked } from './server.ts';

type Entry = Uint8Array<ArrayBuffer>;
type Tier = Pick<CacheTier, 'get' | 'put'>;

/** More than a get may take, and the rest of an answer on a busy machine. */
const IN_TIME = 5_000;

const forEver = new Promise<never>(() => undefined);

/** What an adversary, an accident or a bill does to a tier that two isolates share. */
const FAULTS: Readonly<Record<string, (tier: Tier, entries: Map<string, Entry>) => Partial<Tier>>> = {
  'get rejects': () => ({ get: () => Promise.reject(new Error('KV GET failed: 500')) }),
  'get throws': () => ({
    get() {
      throw new Error('no such namespace');
    },
  }),
  'get hangs': () => ({ get: () => forEver }),
  'put hangs': () => ({ put: () => forEver }),
  'put over quota': () => ({ put: () => Promise.reject(new Error('KV PUT failed: 429 Too Many Requests')) }),
  'entries damaged': (tier) => ({
    get: async (key) => {
      const entry = await tier.get(key);
      return entry?.with(entry.length >> 1, (entry[entry.length >> 1] ?? 0) ^ 1);
    },
  }),
  'entries cut short': (tier) => ({ get: async (key) => (await tier.get(key))?.slice(0, -4) }),
  'entries empty': () => ({ get: () => Promise.resolve(new Uint8Array(0)) }),
  'entries that are something else': () => ({
    get: () => Promise.resolve(new Uint8Array(readFileSync('package.json'))),
  }),
  "another image's entries": (_, entries) => ({
    get: (key) => Promise.resolve([...entries].find(([other]) => other !== key)?.[1]),
  }),
};

/** Each on a tier that another isolate has filled: the answer is right, in time, and so is the next. */
export function tierFaults(stand: Stand): Trial[] {
  return Object.entries(FAULTS).map(([name, break_]) => async (): Promise<FaultRow> => {
    const { id, files, image, other_image, answer, other_answer } = stand;
    const entries = new Map<string, Entry>();
    const sound: Tier = {
      get: (key) => Promise.resolve(entries.get(key)),
      put: (key, entry) => Promise.resolve(void entries.set(key, entry)),
    };
    const first = startServer(id, faultySource(files), { name: 'kv', ...sound });
    for (const photo of [image, other_image]) await first.ask(photo);

    const broken: CacheTier = { name: 'kv', ...sound, ...break_(sound, entries) };
    const second = startServer(id, faultySource(files), broken);
    const got = [await second.ask(image), await second.ask(other_image), await second.ask(image)];
    const { ok, ...rest } = row(`cache tier: ${name}`, [answer, other_answer, answer], got);
    return { ...rest, ok: ok && got.every(inTime) };
  });
}

const inTime = ({ milliseconds }: Asked): boolean => milliseconds < IN_TIME;
