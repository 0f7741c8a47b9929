/** The small files of HuggingFaceTB/SmolVLM-256M-Instruct: what of them a model's run depends on. */

export const smolVlmConfig = {
  architectures: ['Idefics3ForConditionalGeneration'],
  image_token_id: 49_190,
  model_type: 'idefics3',
  scale_factor: 4,
  text_config: {
    architectures: ['VLlama3ForCausalLM'],
    head_dim: 64,
    hidden_size: 576,
    initializer_range: 0.041666666666666664,
    intermediate_size: 1536,
    max_position_embeddings: 8192,
    model_type: 'llama',
    num_attention_heads: 9,
    num_hidden_layers: 30,
    num_key_value_heads: 3,
    pad_token_id: 2,
    rms_norm_eps: 1e-5,
    rope_interleaved: false,
    rope_theta: 100_000,
    torch_dtype: 'bfloat16',
    vocab_size: 49_280,
  },
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
  transformers_version: '4.46.0',
  use_cache: false,
  vision_config: {
    hidden_size: 768,
    image_size: 512,
    intermediate_size: 3072,
    max_image_size: { longest_edge: 512 },
    model_type: 'idefics3',
    num_attention_heads: 12,
    num_hidden_layers: 12,
    patch_size: 16,
    size: { longest_edge: 2048 },
    tie_word_embeddings: false,
    use_base_siglip: false,
  },
  vocab_size: 49_280,
};

export const generationConfig = {
  _from_model_config: true,
  bos_token_id: 1,
  eos_token_id: 49_279,
  pad_token_id: 2,
  transformers_version: '4.46.0',
};

export const preprocessorConfig = {
  do_convert_rgb: true,
  do_image_splitting: true,
  do_normalize: true,
  do_pad: true,
  do_rescale: true,
  do_resize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_processor_type: 'Idefics3ImageProcessor',
  image_std: [0.5, 0.5, 0.5],
  max_image_size: { longest_edge: 512 },
  processor_class: 'Idefics3Processor',
  resample: 1,
  rescale_factor: 1 / 255,
  size: { longest_edge: 2048 },
};

/** The whole image as one tile, not split. */
export const oneTilePreprocessorConfig = {
  ...preprocessorConfig,
  do_image_splitting: false,
  size: { longest_edge: 512 },
};

export const processorConfig = { image_seq_len: 64, processor_class: 'Idefics3Processor' };

export const chatTemplate = {
  chat_template:
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}" +
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}" +
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}" +
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n" +
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}",
};
