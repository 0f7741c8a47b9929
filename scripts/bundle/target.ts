import { cp, mkdir, readdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MANIFEST, parseManifest, sha256Hex, type Manifest } from '../../src/bundle/manifest.ts';
import type { SmallFiles } from './bundle-files.ts';

export interface Target {
  /** The bundle's, and its folder's name. */
  readonly id: string;
  /** A folder of bundles. */
  readonly out: string;
}

/** Where a bundle goes, and what may go for it. */
export interface Destination extends Target {
  /** Another bundle of that name. */
  readonly replace: boolean;
}

/**
 * Makes a bundle in a folder of its own beside `out`, which is uploaded with the Worker, and puts it in its place
 * when it is whole. Until then nothing that lies there is touched. What `make` leaves when it is cut off or the
 * disk fails it finds again.
 * @param source the published model's folder
 * @param known what is known of the bundle before it is made
 * @param make writes the bundle, and checks that it opens
 * @throws Error where the bundle would take the place of something else
 */
export async function makeBundle<Made extends { readonly digest: string }>(
  source: string,
  destination: Destination,
  known: SmallFiles,
  make: (work: Target) => Promise<Made>,
): Promise<Made> {
  await requirePlace(source, destination);
  const hashes = await Promise.all(Object.values(known).map(sha256Hex));
  await requireReplaceable(destination, ({ files }) =>
    Object.keys(known).every((name, i) => files[name]?.sha256 === hashes[i]),
  );
  const { id, out } = destination;
  const work = join(`${out}.work`, id);
  await mkdir(work, { recursive: true });
  try {
    const made = await make({ id, out: work });
    await requireReplaceable(destination, ({ digest }) => digest === made.digest);
    await rm(join(out, id), { recursive: true, force: true });
    await mkdir(out, { recursive: true });
    await move(join(work, id), join(out, id));
    await remove(work);
    return made;
  } catch (error) {
    if (!mayGoOn(error)) await remove(work);
    throw error;
  }
}

/**
 * @param isSame whether a bundle that is there is, as far as is known, what would be put in its place
 * @throws Error where it is another, and is not to be replaced
 */
async function requireReplaceable(
  { id, out, replace }: Destination,
  isSame: (manifest: Manifest) => boolean,
): Promise<void> {
  const before = await manifestIn(join(out, id), id);
  if (replace || before === undefined || isSame(before)) return;
  throw new KeptBundleError(
    `${join(out, id)} is another bundle: give --replace to put this one in its place, or another --id to keep both.`,
  );
}

/** Nothing was wrong with what was made: the same command with --replace need not make it again. */
class KeptBundleError extends Error {}

/** Source and target may not be one, and nothing goes but what a bundle's manifest lists. */
async function requirePlace(source: string, { id, out }: Target): Promise<void> {
  const folder = join(out, id);
  const there = await namesIn(folder);
  if (there.length === 0) return;
  if ((await realpath(folder)) === (await realpath(source).catch(() => source))) {
    throw new Error(`${folder} is the model's own folder: give the bundle another --id, or another --out.`);
  }
  const listed = (await manifestIn(folder, id))?.files ?? {};
  const strangers = there.filter((name) => name !== MANIFEST && !Object.hasOwn(listed, name));
  if (strangers.length > 0) {
    throw new Error(`${folder} holds files that are of no bundle: move ${someOf(strangers)} elsewhere.`);
  }
}

function someOf(names: readonly string[]): string {
  const more = names.length - 4;
  return [...names.slice(0, 4), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(noneWhere('ENOENT', []));
}

/** @throws GlimpseError where it is no manifest, or another bundle's */
async function manifestIn(folder: string, id: string): Promise<Manifest | undefined> {
  const bytes = await readFile(join(folder, MANIFEST)).catch(noneWhere('ENOENT', undefined));
  return bytes && parseManifest(bytes, id);
}

/** Also where the one place is a disk of its own. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isError(error, 'EXDEV')) throw error;
    await cp(from, to, { recursive: true });
  }
}

/** The folder, and that around it if it was the last. */
async function remove(work: string): Promise<void> {
  await rm(work, { recursive: true, force: true });
  const others = await namesIn(dirname(work));
  if (others.length === 0) await rm(dirname(work), { recursive: true, force: true });
}

/** A full disk and the like may be put right; what is wrong with a model is wrong with the rest of it too. */
function mayGoOn(error: unknown): boolean {
  return error instanceof KeptBundleError || (error instanceof Error && 'syscall' in error);
}

function noneWhere<None>(code: string, none: None): (error: unknown) => None {
  return (error) => {
    if (isError(error, code)) return none;
    throw error;
  };
}

function isError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
