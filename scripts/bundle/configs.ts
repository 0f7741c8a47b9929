/**
 * What glimpse-10m's training script fixed in code, as the configuration files of a Hugging Face model
 * folder. Field names are transformers'.
 */
import type { LabelName, LabelNamesConfig } from '../../src/model/vision/label-names.ts';

/** A class of the classifier's: "kuvasz", and as everybody says, "dog". */
export interface ClassLabel {
  readonly label: string;
  readonly common_name: string;
}

const TOKENS = ['<|endoftext|>', '<|user|>', '<|assistant|>', '<|end|>', '<image>', '<pad>'] as const;
const id = (token: (typeof TOKENS)[number]) => TOKENS.indexOf(token);
const SPECIAL_IDS = {
  bos_token_id: id('<|endoftext|>'),
  eos_token_id: id('<|end|>'),
  pad_token_id: id('<pad>'),
};
const MAX_POSITIONS = 256;

/** EfficientNet-Lite0's stages (Tan and Le, arXiv:1905.11946; the Lite variant has no squeeze-and-excite). */
const BLOCKS = [
  { expand_ratio: 1, kernel_size: 3, stride: 1, width: 16, repeats: 1 },
  { expand_ratio: 6, kernel_size: 3, stride: 2, width: 24, repeats: 2 },
  { expand_ratio: 6, kernel_size: 5, stride: 2, width: 40, repeats: 2 },
  { expand_ratio: 6, kernel_size: 3, stride: 2, width: 80, repeats: 3 },
  { expand_ratio: 6, kernel_size: 5, stride: 1, width: 112, repeats: 3 },
  { expand_ratio: 6, kernel_size: 5, stride: 2, width: 192, repeats: 4 },
  { expand_ratio: 6, kernel_size: 3, stride: 1, width: 320, repeats: 1 },
];

/**
 * @param labels the classifier's classes in order
 * @param encode the tokenizer's
 */
export function config(labels: readonly ClassLabel[], encode: (text: string) => readonly number[]): object {
  return {
    architectures: ['GlimpseForConditionalGeneration'],
    model_type: 'glimpse',
    image_token_id: id('<image>'),
    ...SPECIAL_IDS,
    tie_word_embeddings: true,
    vision_config: {
      model_type: 'efficientnet-lite',
      image_size: 224,
      num_channels: 3,
      stem_width: 32,
      blocks: BLOCKS,
      head_width: 1280,
      hidden_act: 'relu6',
      padding: 'same',
    },
    projector_config: {
      input_size: 1280,
      hidden_size: 512,
      output_size: 256,
      hidden_act: 'gelu_pytorch_tanh',
      rms_norm_eps: 1e-5,
      bias: false,
      num_image_tokens: 50,
      pooled_token: 'first',
    },
    text_config: {
      model_type: 'llama',
      vocab_size: 4096,
      hidden_size: 256,
      intermediate_size: 704,
      num_hidden_layers: 6,
      num_attention_heads: 4,
      num_key_value_heads: 4,
      head_dim: 64,
      hidden_act: 'silu',
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      max_position_embeddings: MAX_POSITIONS,
      attention_bias: false,
      mlp_bias: false,
      tie_word_embeddings: true,
      ...SPECIAL_IDS,
    },
    quantization_config: {
      quant_method: 'glimpse-q4',
      bits: 4,
      group_size: 32,
      zero_point: 8,
      scale_dtype: 'float16',
    },
    id2label: Object.fromEntries(labels.map(({ label }, index) => [index, label])),
    label_names_config: labelNamesConfig(labels, encode),
  };
}

/** What the decoder was trained to be told of the classifier's. */
function labelNamesConfig(
  labels: readonly ClassLabel[],
  encode: (text: string) => readonly number[],
): LabelNamesConfig {
  const tokens_per_name = 6;
  const label_ids = Map.groupBy(labels.keys(), (id) => labels[id]?.common_name ?? '');
  return {
    ...{ max_names: 2, tokens_per_name, pad_token_id: id('<pad>'), least_probability: 0.1 },
    names: Array.from(label_ids, ([name, label_ids]): LabelName => {
      return { name, label_ids, input_ids: encode(` ${name}`).slice(0, tokens_per_name) };
    }),
  };
}

export const generationConfig = { ...SPECIAL_IDS, max_new_tokens: 40, do_sample: false };

/** x = (byte - 127) / 128, of the image squeezed to a square as PIL's BILINEAR does. */
export const preprocessorConfig = {
  image_processor_type: 'ViTImageProcessor',
  do_convert_rgb: true,
  do_resize: true,
  size: { height: 224, width: 224 },
  resample: 2,
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [127 / 255, 127 / 255, 127 / 255],
  image_std: [128 / 255, 128 / 255, 128 / 255],
};

/** @param chatTemplate Jinja source */
export function tokenizerConfig(chatTemplate: string): object {
  const special = { lstrip: false, normalized: false, rstrip: false, single_word: false, special: true };
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    added_tokens_decoder: Object.fromEntries(
      TOKENS.map((content, index) => [index, { content, ...special }]),
    ),
    bos_token: '<|endoftext|>',
    eos_token: '<|end|>',
    pad_token: '<pad>',
    image_token: '<image>',
    clean_up_tokenization_spaces: false,
    model_max_length: MAX_POSITIONS,
    chat_template: chatTemplate,
  };
}
