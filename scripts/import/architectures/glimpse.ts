import { glimpseConfigSchema, imageTokens } from '../../../src/model/config.ts';
import { blockShapes } from '../../../src/model/vision/config.ts';
import { labelRows } from '../../../src/model/vision/label-names.ts';
import { floats, linear, type Module } from '../modules.ts';
import type { Architecture } from './architecture.ts';
import { decoder } from './decoder.ts';

/** The default architecture: EfficientNet-Lite, an MLP projector, Llama; published under the bundle's own names. */
export function glimpse(json: unknown): Architecture {
  const config = glimpseConfigSchema.parse(json);
  const { vision_config: vision, projector_config: projector, label_names_config: told } = config;
  const text = decoder(config.text_config);
  const labels = Object.keys(config.id2label ?? {}).length;
  return {
    parts: [
      {
        name: 'vision and projector',
        modules: [
          convolution('vision_tower.stem', vision.stem_width, vision.num_channels, 3),
          ...blockShapes(vision).flatMap(blockModules),
          linear('vision_tower.head', [vision.head_width, vision.blocks.at(-1)?.width ?? 0]),
          floats('multi_modal_projector.norm.weight', projector.input_size),
          linear('multi_modal_projector.linear_1', [projector.hidden_size, projector.input_size], {
            bias: false,
          }),
          linear('multi_modal_projector.linear_2', [projector.output_size, projector.hidden_size], {
            bias: false,
          }),
          floats(
            'multi_modal_projector.position_embedding.weight',
            ...[projector.num_image_tokens, projector.output_size],
          ),
          ...(told
            ? [
                floats(
                  'multi_modal_projector.label_position_embedding.weight',
                  ...[labelRows(told), projector.output_size],
                ),
              ]
            : []),
        ],
      },
      ...(labels > 0
        ? [{ name: 'classifier', modules: [linear('vision_tower.classifier', [labels, vision.head_width])] }]
        : []),
      ...(told
        ? [
            { name: 'token embeddings', modules: text.slice(0, 1) }, // both halves read them
            { name: 'decoder', modules: text.slice(1) },
          ]
        : [{ name: 'decoder', modules: text }]),
    ],
    names: [[/^(?=vision_tower\.|multi_modal_projector\.|language_model\.)/, '']],
    useless: [],
    decoder: config.text_config,
    imageTokens: imageTokens(config),
  };
}

function blockModules(block: ReturnType<typeof blockShapes>[number]): readonly Module[] {
  const at = `vision_tower.${block.name}`;
  const pointwise = (name: string, out: number, input: number): Module =>
    linear(`${at}.${name}`, [out, input, 1, 1], { bits: 8 });
  return [
    ...(block.expand ? [pointwise('expand', block.hidden, block.input)] : []),
    convolution(`${at}.dw`, block.hidden, 1, block.geometry.kernel),
    pointwise('project', block.width, block.hidden),
  ];
}

function convolution(name: string, out: number, channels: number, kernel: number): Module {
  return { kind: 'convolution', name, shape: [out, channels, kernel, kernel], bias: true };
}
