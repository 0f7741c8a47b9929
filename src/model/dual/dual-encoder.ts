import type { Bundle } from '../../bundle/bundle.ts';
import type { Engine } from '../../kernels/engine.ts';
import { createRoom, type Room } from '../../kernels/room.ts';
import { lazy } from '../../lazy.ts';
import { loadPart } from '../load-part.ts';
import type { DualEncoder, TextEmbedder } from '../types.ts';
import { createTransformerEncoder, type Connector } from '../vision/encode-images.ts';
import type { VisionTransformerConfig } from '../vision/transformer-config.ts';
import { visionStages } from '../vision/vision-stages.ts';
import { createVisionTransformer } from '../vision/vision-transformer.ts';
import type { Weights } from '../weights.ts';
import type { TextTransformerConfig } from './config.ts';
import { dot, normalized } from './similarity.ts';
import { createTextTransformer, type TextTower } from './text-transformer.ts';

/** What an architecture of two towers has of its own. */
export interface DualArchitecture extends Pick<DualEncoder, 'projection_dim' | 'padding' | 'activation'> {
  readonly vision_config: VisionTransformerConfig;
  readonly text_config: TextTransformerConfig;
  readonly text_tower: TextTower;
  readonly image_head: {
    readonly tensors: readonly string[];
    readonly load: (weights: Weights) => Promise<ImageHead>;
  };
  /** Whether logits have a logit_bias beside their logit_scale. */
  readonly biased: boolean;
}

/**
 * From the vision transformer's last hidden states [tokens, hidden_size], which it may overwrite.
 * @returns address in `room` of the image's place in the space of texts. // [projection_dim]
 */
export type ImageHead = (hidden: number, room: Room) => number;

export function createDualEncoder(
  engine: Engine,
  bundle: Bundle,
  architecture: DualArchitecture,
): DualEncoder {
  const { vision_config, text_config, image_head, projection_dim, padding, activation } = architecture;
  const stages = visionStages(engine, bundle, vision_config);
  const encoder = createTransformerEncoder(
    createVisionTransformer(engine, stages, vision_config, [vision_config.num_hidden_layers]),
    stages.stage(image_head.tensors, async (weights) =>
      connector(engine, await image_head.load(weights), projection_dim),
    ),
    vision_config,
    [1, projection_dim],
  );
  const text = lazy(() =>
    loadPart(engine, bundle, TEXT, (weights) => createTextEmbedder(engine, weights, architecture)),
  );
  return {
    ...{ projection_dim, padding, activation },
    max_position_embeddings: text_config.max_position_embeddings,
    get loaded() {
      return { vision: stages.ready, text: text.ready };
    },
    encoder: () => Promise.resolve(encoder),
    text_embedder: () => text.get(),
  };
}

const TEXT = ['text_model', 'text_projection', 'logit_scale', 'logit_bias'];
const NO_CLASSIFIER = new Float32Array(); // to read what the tower has pooled

function connector({ memory }: Engine, head: ImageHead, projection_dim: number): Connector {
  return (features) => {
    const room = createRoom(memory);
    try {
      const image_embeds = normalized(memory.f32(head(features, room), projection_dim).slice());
      return { image_embeds, pooler_output: NO_CLASSIFIER };
    } finally {
      room.release();
    }
  };
}

async function createTextEmbedder(
  engine: Engine,
  weights: Weights,
  { text_config, text_tower, biased }: DualArchitecture,
): Promise<TextEmbedder> {
  const project = await createTextTransformer(engine, weights, text_config, text_tower);
  const scalar = async (name: string): Promise<number> =>
    engine.memory.f32(await weights.floats(`${name}.weight`, 1), 1)[0] ?? NaN;
  const scale = Math.exp(await scalar('logit_scale'));
  const bias = biased ? await scalar('logit_bias') : 0;
  return {
    embed: (input_ids) => normalized(project(input_ids)),
    logits: (image_embeds, text_embeds) =>
      Float32Array.from(text_embeds, (embeds) => scale * dot(image_embeds, embeds) + bias),
  };
}
