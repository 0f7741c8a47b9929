import { barPlot } from '../../bar-plot.ts';
import { digits, figures, megabytes, table, times } from '../../format.ts';
import type { Machine } from '../../machine.ts';
import { DECODERS } from './open.ts';
import { ANSWER_TOKENS, PROMPT_IDS } from './prompt.ts';
import { DECODER_MEASURES, type DecodersResult } from './race.ts';

/** By model. */
export type DecoderRaces = Readonly<Record<string, DecodersResult>>;

const RIVALS = DECODERS.filter((name) => name !== 'Glimpse');
const COLORS: Readonly<Record<(typeof RIVALS)[number], string>> = {
  'llama.cpp Q4_0, native': '#2f7d5b',
  'onnxruntime-web q4': '#a8435b',
  'onnxruntime-web fp32': '#7a8ca3',
};

export function decodersMarkdown(races: DecoderRaces): readonly string[] {
  return [
    '## Decoders alone',
    `Every engine in turns on the same ${PROMPT_IDS.length} ids of text, then ${ANSWER_TOKENS} tokens, greedy, one ` +
      'thread, on Node; of the calls that begin in the second of a round the fastest counts. llama.cpp is native code ' +
      '(node-llama-cpp), with ' +
      "the bundle's own 4-bit weights as Q4_0: nothing is rounded on the way. Its times are by its own clock, which " +
      'leaves out the choice of a token and all that Node does; those of the others have both in them. ' +
      "onnxruntime-web runs the graphs of transformers.js, q4 and fp32, without transformers.js' own share. " +
      "Correlation: of the logits behind the prompt with Glimpse's; same tokens: before the first that is another. " +
      'Random weights make logits that are close to each other, so that rounding decides between tokens. ' +
      'Peak memory: growth of the resident set of a fresh process up to its first answer, one process each.',
    ...Object.entries(races).flatMap(([model, result]) => [
      `### ${model}`,
      table(
        ['', 'first token, ms', 'tokens a second', 'peak memory', 'correlation', 'same tokens'],
        DECODERS.map((name) => {
          const { figures: of, tokens_per_second, logits_correlation, same_tokens } = result[name];
          return [
            ...[name, figures(of['first token']), figures(tokens_per_second)],
            megabytes(of['peak memory'].median),
            ...[logits_correlation.toFixed(4), digits(same_tokens)],
          ];
        }),
      ),
      table(
        ['times as much as Glimpse takes', ...DECODER_MEASURES],
        RIVALS.map((name) => [
          name,
          ...DECODER_MEASURES.map((measure) => times(result[name].ratios[measure])),
        ]),
      ),
    ]),
  ];
}

/** Times as much as Glimpse takes. */
export function decodersPlot(races: DecoderRaces, { node, cpu }: Machine): string {
  return barPlot({
    title: `Decoders alone: times as much as Glimpse takes, one thread, Node ${node}, ${cpu}`,
    legend: RIVALS.map((name) => ({ name, color: COLORS[name] })),
    groups: Object.entries(races).flatMap(([model, result]) =>
      DECODER_MEASURES.map((measure) => ({
        title: `${model}: ${measure}`,
        bars: RIVALS.map((name) => ({ ratio: result[name].ratios[measure], color: COLORS[name] })),
      })),
    ),
  });
}
