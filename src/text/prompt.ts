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

const configSchema = z.looseObject({ chat_template: z.string() });
const tokenSchema = z.union([z.string(), z.looseObject({ content: z.string() }).transform((t) => t.content)]);

/**
 * @param tokenizerConfig the content of tokenizer_config.json
 * @throws GlimpseError bundle_invalid
 */
export function createChatTemplate(tokenizerConfig: unknown): ChatTemplate {
  const config = configSchema.safeParse(tokenizerConfig);
  if (!config.success) {
    throw new GlimpseError('bundle_invalid', 'tokenizer_config.json needs a chat_template that is text');
  }
  const tokens = Object.entries(config.data).flatMap(([name, value]) => {
    const token = name.endsWith('_token') ? tokenSchema.safeParse(value).data : undefined;
    return token === undefined ? [] : [[name, token] as const];
  });
  try {
    return { template: new Template(config.data.chat_template), tokens: Object.fromEntries(tokens) };
  } catch (cause) {
    throw new GlimpseError('bundle_invalid', 'tokenizer_config.json: chat_template is no Jinja template', {
      cause,
    });
  }
}

/**
 * The ids of a conversation and of the start of the assistant's answer, with the template's image
 * token once for each image. Only the template makes structure: a message's text is put in after
 * the template's special tokens are cut out, so neither `<|end|>` nor `{{ }}` in it means anything.
 * @throws GlimpseError invalid_value if the template refuses or drops a message
 */
export function renderPrompt(
  tokenizer: Tokenizer,
  { template, tokens }: ChatTemplate,
  messages: readonly ChatMessage[],
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
  const lost = texts.findIndex((_, index) => !rendered.includes(sentinel(index)));
  if (lost >= 0) {
    throw new GlimpseError(
      'invalid_value',
      `The model has no place in a prompt for the text "${texts[lost] ?? ''}"`,
      {
        param: 'messages',
      },
    );
  }
  return tokenizer
    .splitSpecial(rendered)
    .flatMap((part) => (typeof part === 'number' ? part : tokenizer.encode(fill(part, texts))));
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

/** Stands for the text of that index while the template is rendered: two private-use characters round it. */
function sentinel(index: number): string {
  return `\uE000${index}\uE001`;
}

function fill(part: string, texts: readonly string[]): string {
  return part.replace(/\uE000(\d+)\uE001/gu, (_, index: string) => texts[Number(index)] ?? '');
}
