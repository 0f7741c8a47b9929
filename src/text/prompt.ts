import { Template } from '@huggingface/jinja';
import * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: readonly (
    { readonly type: 'text'; readonly text: string } | { readonly type: 'image' }
  )[];
}

/** A parsed chat_template with the special tokens it may name (`bos_token` and the like). */
export interface ChatTemplate {
  readonly template: Template;
  readonly tokens: Readonly<Record<string, string>>;
}

const tokenSchema = z.union([z.string(), z.looseObject({ content: z.string() }).transform((t) => t.content)]);
const configSchema = z.looseObject({
  chat_template: z.unknown().optional(), // zod refuses an absent one without
  /** Tokens of a model's own, `image_token` and the like; a list names none. */
  extra_special_tokens: z.record(z.string(), z.unknown()).catch({}),
});

/** One template, or several by name, as a list or an object: `default` is the one for chats. */
const templateSchema = z.union([
  z.string(),
  z.looseObject({ default: z.string() }).transform((templates) => templates.default),
  z
    .array(z.looseObject({ name: z.string(), template: z.string() }))
    .transform((templates) => templates.find(({ name }) => name === 'default')?.template)
    .pipe(z.string()),
]);

/**
 * @param tokenizerConfig the content of tokenizer_config.json
 * @param published a chat_template that goes before the one in it
 * @throws GlimpseError bundle_invalid
 */
export function createChatTemplate(tokenizerConfig: unknown, published?: unknown): ChatTemplate {
  const config = configSchema.safeParse(tokenizerConfig);
  const chat_template = templateSchema.safeParse(published ?? config.data?.chat_template);
  if (!config.success || !chat_template.success) {
    throw new GlimpseError('bundle_invalid', 'tokenizer_config.json needs a chat_template that is text');
  }
  const named = { ...config.data.extra_special_tokens, ...config.data };
  const tokens = Object.entries(named).flatMap(([name, value]) => {
    const token = name.endsWith('_token') ? tokenSchema.safeParse(value).data : undefined;
    return token === undefined ? [] : [[name, token] as const];
  });
  try {
    return { template: new Template(chat_template.data), tokens: Object.fromEntries(tokens) };
  } catch (cause) {
    throw new GlimpseError('bundle_invalid', 'chat_template is no Jinja template', { cause });
  }
}

/** Whether a user's text beside an image has a place in prompts: a captioner's have none. */
export function takesText({ template, tokens }: ChatTemplate): boolean {
  const content = [{ type: 'image' }, { type: 'text', text: sentinel(0) }];
  const messages = [{ role: 'user', content }];
  try {
    return template.render({ ...tokens, messages, add_generation_prompt: true }).includes(sentinel(0));
  } catch {
    return false; // by raise_exception
  }
}

/** What a processor writes in the place of each image. */
export interface WrittenImages {
  /** The token that the template writes for an image. */
  readonly placeholder: string;
  readonly written: readonly string[];
}

/**
 * The ids of a conversation and of the start of the assistant's answer, with `images` in their places, or
 * the template's image token once for each. Only the template makes structure: a message's text is put in
 * after the template's special tokens are cut out, so neither `<|end|>` nor `{{ }}` in it means anything.
 * @throws GlimpseError invalid_value if the template refuses or drops a message, a text or an image
 */
export function renderPrompt(
  tokenizer: Tokenizer,
  { template, tokens }: ChatTemplate,
  messages: readonly ChatMessage[],
  images?: WrittenImages,
): number[] {
  const texts: string[] = [];
  const outline = messages.map(({ role, content }) => ({
    role,
    content: content.map((part) =>
      part.type === 'text'
        ? { type: part.type, text: sentinel(texts.push(part.text) - 1) }
        : { type: part.type },
    ),
  }));
  const rendered = render(template, { ...tokens, messages: outline, add_generation_prompt: true });
  const found = new Set(Array.from(rendered.matchAll(SENTINEL), ([, index]) => Number(index)));
  const lost = texts.findIndex((_, index) => !found.has(index));
  if (lost >= 0) {
    throw new GlimpseError(
      'invalid_value',
      `The model has no place in a prompt for the text "${texts[lost] ?? ''}"`,
      { param: 'messages' },
    );
  }
  const parts = tokenizer.splitSpecial(images ? putImages(rendered, images) : rendered);
  const ids = tokenizer.encodeParts(
    parts.map((part) => (typeof part === 'number' ? part : fill(part, texts))),
  );
  // As transformers' processors: a template that writes no `<s>` leaves it to the tokenizer.
  const { bos_token } = tokens;
  return bos_token !== undefined && rendered.startsWith(bos_token) ? ids : tokenizer.wrap(ids);
}

/** One of every part of every message: an image's is empty. */
export function textsOf(messages: readonly ChatMessage[]): string[] {
  return messages.flatMap(({ content }) => content.map((part) => (part.type === 'text' ? part.text : '')));
}

function render(template: Template, variables: Record<string, unknown>): string {
  try {
    return template.render(variables);
  } catch (cause) {
    // A template speaks to the caller by raise_exception, which arrives as a plain Error.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GlimpseError('invalid_value', `The model's chat template refuses the messages: ${reason}`, {
      param: 'messages',
      cause,
    });
  }
}

function putImages(rendered: string, { placeholder, written }: WrittenImages): string {
  const [before = '', ...parts] = rendered.split(placeholder);
  if (parts.length !== written.length) {
    throw new GlimpseError('invalid_value', 'The model has no place in a prompt for an image there.', {
      param: 'messages',
    });
  }
  return before + parts.map((part, index) => (written[index] ?? '') + part).join('');
}

/** Stands for the text of that index while the template is rendered: two private-use characters round it. */
function sentinel(index: number): string {
  return `\uE000${index}\uE001`;
}

const SENTINEL = /\uE000(\d+)\uE001/gu;

function fill(part: string, texts: readonly string[]): string {
  return part.replace(SENTINEL, (_, index: string) => texts[Number(index)] ?? '');
}
