/** The training script's module names, and what transformers calls the same modules. */
const MODULES: readonly (readonly [RegExp, string])[] = [
  [/^vision\.fc$/, 'vision_tower.classifier'],
  [/^vision\./, 'vision_tower.'],
  [/^pnorm$/, 'multi_modal_projector.norm'],
  [/^p([12])$/, 'multi_modal_projector.linear_$1'],
  [/^ppos$/, 'multi_modal_projector.position_embedding'],
  [/^lpos$/, 'multi_modal_projector.label_position_embedding'],
  [/^dec\.emb$/, 'language_model.model.embed_tokens'],
  [/^dec\.norm$/, 'language_model.model.norm'],
  [/^dec\.layers\.(\d+)\.([qkvo])$/, 'language_model.model.layers.$1.self_attn.$2_proj'],
  [/^dec\.layers\.(\d+)\.g$/, 'language_model.model.layers.$1.mlp.gate_proj'],
  [/^dec\.layers\.(\d+)\.u$/, 'language_model.model.layers.$1.mlp.up_proj'],
  [/^dec\.layers\.(\d+)\.dn$/, 'language_model.model.layers.$1.mlp.down_proj'],
  [/^dec\.layers\.(\d+)\.n1$/, 'language_model.model.layers.$1.input_layernorm'],
  [/^dec\.layers\.(\d+)\.n2$/, 'language_model.model.layers.$1.post_attention_layernorm'],
];

/**
 * A tensor's name in the bundle. A quantised matrix is `NAME.weight.q4` or `NAME.weight.q8` with its
 * `NAME.weight.scale`; everything else is `NAME.weight` or `NAME.bias`, in float32.
 */
export function bundleName(name: string): string {
  const [, module = name, kind] = /^(.*)\.(q4|q8|scale|bias)$/.exec(name) ?? [];
  const rule = MODULES.find(([pattern]) => pattern.test(module));
  if (rule === undefined) throw new Error(`no name in the bundle for the tensor ${name}`);
  const renamed = module.replace(...rule);
  if (kind === undefined) return `${renamed}.weight`;
  return kind === 'bias' ? `${renamed}.bias` : `${renamed}.weight.${kind}`;
}

/**
 * The parts of the model that are needed at different times: none shares a shard with another.
 * Each is told by its tensors' names.
 */
export const PARTS: readonly RegExp[] = [
  /^(vision_tower\.(?!classifier\.)|multi_modal_projector\.)/,
  /^vision_tower\.classifier\./,
  /^language_model\.model\.embed_tokens\./, // which tells the vision half's names too
  /^language_model\.(?!model\.embed_tokens\.)/,
];
