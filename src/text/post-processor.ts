import * as z from 'zod';
import { GlimpseError } from '../errors.ts';

/** The ids that a post_processor puts around those of one text. */
export interface Affixes {
  readonly before: readonly number[];
  readonly behind: readonly number[];
}

const NONE: Affixes = { before: [], behind: [] };

const special = z.tuple([z.string(), z.int()]).transform(([, id]) => [id]);
const piece = z.union([
  z.object({ SpecialToken: z.object({ id: z.string() }) }),
  z.object({ Sequence: z.object({ id: z.literal('A') }) }),
]);

const schema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ByteLevel') }).transform(() => NONE),
  z
    .object({ type: z.enum(['BertProcessing', 'RobertaProcessing']), cls: special, sep: special })
    .transform(({ cls, sep }) => ({ before: cls, behind: sep })),
  z
    .object({
      type: z.literal('TemplateProcessing'),
      single: z.array(piece),
      special_tokens: z.record(z.string(), z.object({ ids: z.array(z.int()) })),
    })
    .transform(({ single, special_tokens }) => {
      const at = single.findIndex((part) => 'Sequence' in part);
      const ids = (parts: typeof single): number[] =>
        parts.flatMap((part) =>
          'SpecialToken' in part ? (special_tokens[part.SpecialToken.id]?.ids ?? []) : [],
        );
      return { before: ids(single.slice(0, at)), behind: ids(single.slice(at)) };
    }),
]);

const sequence = z.object({ type: z.literal('Sequence'), processors: z.array(z.unknown()) });

/**
 * @param post_processor of tokenizer.json
 * @throws GlimpseError bundle_invalid
 */
export function affixesOf(post_processor: unknown): Affixes {
  if (post_processor === null || post_processor === undefined) return NONE;
  const several = sequence.safeParse(post_processor);
  if (several.success) {
    return several.data.processors
      .map(affixesOf)
      .reduce((a, b) => ({ before: [...b.before, ...a.before], behind: [...a.behind, ...b.behind] }), NONE);
  }
  const one = schema.safeParse(post_processor);
  if (one.success) return one.data;
  throw new GlimpseError('bundle_invalid', `tokenizer.json: post_processor: ${z.prettifyError(one.error)}`);
}
