/**
 * A byte-level BPE tokenizer with SmolVLM's 49,280 entries: its special tokens at their ids, and made-up
 * merges, which cut words into pieces of three and four letters.
 */

const FIRST_SPECIAL = [
  ...['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<repo_name>', '<reponame>', '<file_sep>', '<filename>'],
  ...[
    '<gh_stars>',
    '<issue_start>',
    '<issue_comment>',
    '<issue_closed>',
    '<jupyter_start>',
    '<jupyter_text>',
  ],
  ...['<jupyter_code>', '<jupyter_output>', '<jupyter_script>', '<empty_output>'],
];
/** Where the tokens of the pictures begin. */
const TEXT_SIZE = 49_152;
const RESERVED = 88;
const SIZE = 49_280;

/** Ids 49,152 to 49,279. */
function imageTokens(): readonly string[] {
  const six = [1, 2, 3, 4, 5, 6];
  return [
    '<global-img>',
    ...six.flatMap((row) => six.map((column) => `<row_${row}_col_${column}>`)),
    '<fake_token_around_image>',
    '<image>',
    ...Array.from({ length: RESERVED }, (_, i) => `<|reserved_special_token_${i}|>`),
    '<end_of_utterance>',
  ];
}

export function tokenizerFiles(): { readonly tokenizer: object; readonly tokenizerConfig: object } {
  const merges = syntheticMerges(TEXT_SIZE - FIRST_SPECIAL.length - 256);
  const tokens = [...FIRST_SPECIAL, ...byteCharacters(), ...merges.map((pair) => pair.join(''))];
  const special = { lstrip: false, normalized: false, rstrip: false, single_word: false, special: true };
  const added = [
    ...FIRST_SPECIAL.map((content, id) => ({ id, content, ...special })),
    ...imageTokens().map((content, i) => ({ id: TEXT_SIZE + i, content, ...special })),
  ];
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: null,
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'Digits', individual_digits: true },
          { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
        ],
      },
      post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true },
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
        merges,
      },
    },
    tokenizerConfig: {
      add_prefix_space: false,
      added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [id, token])),
      additional_special_tokens: ['<fake_token_around_image>', '<image>', '<end_of_utterance>'],
      bos_token: '<|im_start|>',
      clean_up_tokenization_spaces: false,
      eos_token: '<end_of_utterance>',
      legacy: false,
      model_max_length: SIZE,
      pad_token: '<|im_end|>',
      processor_class: 'Idefics3Processor',
      tokenizer_class: 'GPT2Tokenizer',
      truncation_side: 'left',
      unk_token: '<|endoftext|>',
    },
  };
}

/** GPT-2's bytes_to_unicode. */
function byteCharacters(): readonly string[] {
  const isPrintable = (byte: number): boolean => /[!-~¡-¬®-ÿ]/.test(String.fromCharCode(byte));
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  return [
    ...bytes.filter(isPrintable).map((byte) => String.fromCharCode(byte)),
    ...bytes.filter((byte) => !isPrintable(byte)).map((_, i) => String.fromCharCode(256 + i)),
  ];
}

/** Letters with letters, and behind a space; then three, then four. Likely ones first. */
function syntheticMerges(count: number): readonly (readonly [string, string])[] {
  const letters = 'etaoinshrdlcumwfgypbvkjxqz'.split('');
  const space = '\u0120';
  const grow = (starts: readonly string[]): readonly (readonly [string, string])[] =>
    starts.flatMap((start) => letters.map((letter) => [start, letter] as const));
  const joined = (pairs: readonly (readonly [string, string])[]): readonly string[] =>
    pairs.map((pair) => pair.join(''));
  const spaced = grow([space]);
  const pairs = grow(letters);
  const spacedPairs = grow(joined(spaced));
  const triples = grow(joined(pairs));
  const spacedTriples = grow(joined(spacedPairs));
  return [...spaced, ...pairs, ...spacedPairs, ...triples, ...spacedTriples, ...grow(joined(triples))].slice(
    0,
    count,
  );
}
