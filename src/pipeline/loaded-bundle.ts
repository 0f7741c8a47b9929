import * as z from 'zod';
import { openBundle, type Bundle } from '../bundle/bundle.ts';
import type { Retries } from '../bundle/retries.ts';
import type { ShardSource } from '../bundle/source.ts';
import type { JsonValue } from '../cache/canonical-json.ts';
import { GlimpseError } from '../errors.ts';
import { preprocessorConfigSchema, type PreprocessorConfig } from '../image/preprocessor-config.ts';
import { lazy } from '../lazy.ts';
import type { DualEncoder, VisionLanguageModel } from '../model/types.ts';
import { readTextInput, type TextInput } from './text-input.ts';
import { readTextParts, type TextParts } from './text-parts.ts';

/** A bundle opened: its small files read, its weights and its tokenizer not before they are needed. */
export type LoadedBundle = GenerativeBundle | DualBundle;

interface OpenedBundle {
  readonly digest: string;
  readonly fetched: Bundle['fetched'];
  readonly memory: EngineMemory;
  /** As the model card names it (license, or license_name where that is "other"); null: it does not. */
  license(): Promise<string | null>;
  /** The image processor's configuration as it stands: part of the cache's key. */
  readonly preprocessing: JsonValue;
  readonly preprocessor_config: PreprocessorConfig;
  readonly isReplaced: Bundle['isReplaced'];
}

/** A model that answers about images. */
export interface GenerativeBundle extends OpenedBundle {
  readonly kind: 'generative';
  readonly model: VisionLanguageModel;
  text(): Promise<TextParts>;
}

/** A model that embeds images and texts. */
export interface DualBundle extends OpenedBundle {
  readonly kind: 'dual';
  readonly model: DualEncoder;
  text(): Promise<TextInput>;
}

/** WebAssembly's, in bytes: all of it, and what of it is allocated. */
export interface EngineMemory {
  readonly size: number;
  readonly used: number;
}

/** Makes a bundle's model, with an engine of its own: when the bundle is replaced, both go. */
export type CreateModel = (
  bundle: Bundle,
) => Promise<{ readonly model: VisionLanguageModel | DualEncoder; readonly memory: EngineMemory }>;

export async function loadBundle(
  source: ShardSource,
  id: string,
  createModel: CreateModel,
  retries?: Retries,
): Promise<LoadedBundle> {
  const open = (): Promise<Bundle> => openBundle(source, id, retries && { retries });
  const bundle = await open();
  try {
    return await readParts(bundle, createModel);
  } catch (error) {
    if (!(await bundle.isReplaced(error))) throw error;
    return readParts(await open(), createModel);
  }
}

async function readParts(bundle: Bundle, createModel: CreateModel): Promise<LoadedBundle> {
  const { file, preprocessing } = await preprocessorFile(bundle);
  const parsed = preprocessorConfigSchema.safeParse(preprocessing);
  if (!parsed.success) {
    throw new GlimpseError('bundle_invalid', `${file} of ${bundle.id}: ${z.prettifyError(parsed.error)}`);
  }
  const license = lazy(async () => (bundle.has(CARD) ? licenseOf(await bundle.text(CARD)) : null));
  const { model, memory } = await createModel(bundle);
  const opened = {
    digest: bundle.digest,
    fetched: bundle.fetched,
    memory,
    license: () => license.get(),
    preprocessing: preprocessing as JsonValue,
    preprocessor_config: parsed.data,
    isReplaced: bundle.isReplaced,
  };
  if ('decoder' in model) {
    const images = { image_token_id: model.image_token_id, tiled: parsed.data.kind === 'tiles' };
    const text = lazy(() => readTextParts(bundle, images));
    return { ...opened, kind: 'generative', model, text: () => text.get() };
  }
  const text = lazy(() => readTextInput(bundle, model));
  return { ...opened, kind: 'dual', model, text: () => text.get() };
}

const processorSchema = z.object({ image_processor: z.unknown() }).partial();

/** The image processor's configuration: newer folders have it in processor_config.json. */
async function preprocessorFile(bundle: Bundle): Promise<{ file: string; preprocessing: unknown }> {
  const PROCESSOR = 'processor_config.json';
  const { image_processor } = bundle.has(PROCESSOR)
    ? processorSchema.parse(await bundle.json(PROCESSOR))
    : {};
  if (image_processor !== undefined) return { file: PROCESSOR, preprocessing: image_processor };
  const file = 'preprocessor_config.json';
  return { file, preprocessing: await bundle.json(file) };
}

const CARD = 'README.md';

/** https://huggingface.co/docs/hub/model-cards: YAML between two lines of dashes, of which two plain keys are read. */
function licenseOf(card: string): string | null {
  const [, metadata = ''] = /^---\r?\n([^]*?)\r?\n---/.exec(card) ?? [];
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}:[ \\t]*(\\S.*?)\\s*$`, 'm').exec(metadata)?.[1];
  const license = value('license');
  return (license === 'other' ? value('license_name') : undefined) ?? license ?? null;
}
