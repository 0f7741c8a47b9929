import { openBundle, type Bundle } from '../bundle/bundle.ts';
import type { Retries } from '../bundle/retries.ts';
import type { ShardSource } from '../bundle/source.ts';
import type { JsonValue } from '../cache/canonical-json.ts';
import { GlimpseError } from '../errors.ts';
import { parseGenerationDefaults, type GenerationDefaults } from '../generation/config.ts';
import { preprocessorConfigSchema, type PreprocessorConfig } from '../image/preprocessor-config.ts';
import type { Engine } from '../kernels/engine.ts';
import { createModel } from '../model/create-model.ts';
import { lazy } from '../model/lazy.ts';
import type { VisionLanguageModel } from '../model/types.ts';
import { createChatTemplate, type ChatTemplate } from '../text/prompt.ts';
import { createTokenizer, type Tokenizer } from '../text/tokenizer.ts';

/** What turns a prompt into ids and ids into text. */
export interface TextParts {
  readonly tokenizer: Tokenizer;
  readonly chat_template: ChatTemplate;
  readonly generation_defaults: GenerationDefaults;
}

/** A bundle opened: its small files read, its weights and its tokenizer not before they are needed. */
export interface LoadedBundle {
  readonly digest: string;
  readonly fetched: Bundle['fetched'];
  /** Of the kernels, in bytes. */
  readonly memory: Pick<Engine['memory'], 'size' | 'used'>;
  /** As the model card names it (license, or license_name where that is "other"); null: it does not. */
  license(): Promise<string | null>;
  readonly model: VisionLanguageModel;
  /** preprocessor_config.json as it stands: part of the cache's key. */
  readonly preprocessing: JsonValue;
  readonly preprocessor_config: PreprocessorConfig;
  text(): Promise<TextParts>;
  readonly isReplaced: Bundle['isReplaced'];
}

/** @param engine makes one: the weights of a bundle that has been replaced go with theirs */
export async function loadBundle(
  source: ShardSource,
  id: string,
  engine: () => Engine,
  retries?: Retries,
): Promise<LoadedBundle> {
  const open = (): Promise<Bundle> => openBundle(source, id, retries && { retries });
  const bundle = await open();
  try {
    return await readParts(bundle, engine);
  } catch (error) {
    if (!(await bundle.isReplaced(error))) throw error;
    return readParts(await open(), engine);
  }
}

async function readParts(bundle: Bundle, engine: () => Engine): Promise<LoadedBundle> {
  const preprocessing = await bundle.json('preprocessor_config.json');
  const parsed = preprocessorConfigSchema.safeParse(preprocessing);
  if (!parsed.success) {
    throw new GlimpseError(
      'bundle_invalid',
      `preprocessor_config.json of ${bundle.id}: ${parsed.error.message}`,
    );
  }
  const text = lazy(async () => {
    const tokenizerConfig = await bundle.json('tokenizer_config.json');
    return {
      tokenizer: createTokenizer(await bundle.json('tokenizer.json'), tokenizerConfig),
      chat_template: createChatTemplate(tokenizerConfig),
      generation_defaults: parseGenerationDefaults(await bundle.json('generation_config.json')),
    };
  });
  const kernels = engine();
  const license = lazy(async () => (bundle.has(CARD) ? licenseOf(await bundle.text(CARD)) : null));
  return {
    digest: bundle.digest,
    fetched: bundle.fetched,
    memory: kernels.memory,
    license: () => license.get(),
    model: await createModel(kernels, bundle),
    preprocessing: preprocessing as JsonValue,
    preprocessor_config: parsed.data,
    text: () => text.get(),
    isReplaced: bundle.isReplaced,
  };
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
