import type { LlamaConfig } from '../../../../src/model/llama/config.ts';
import type { BenchedBundle } from '../../pipeline.ts';
import type { DecoderRival } from './rival.ts';

export const DECODERS = [
  'Glimpse',
  'llama.cpp Q4_0, native',
  'onnxruntime-web q4',
  'onnxruntime-web fp32',
] as const;
export type DecoderName = (typeof DECODERS)[number];

/** A decoder's files, and how much of a context it is given. */
export interface DecoderSetup {
  readonly bundle: BenchedBundle;
  /** Of the graphs, and of what files.ts writes beside them. */
  readonly folder: string;
  readonly config: LlamaConfig;
  readonly positions: number;
}

/** Imports no more than the one engine. */
export async function openDecoder(
  name: DecoderName,
  { bundle, folder, config, positions }: DecoderSetup,
): Promise<DecoderRival> {
  switch (name) {
    case 'Glimpse':
      return (await import('./glimpse.ts')).openGlimpse(bundle);
    case 'llama.cpp Q4_0, native':
      return (await import('./llama-cpp.ts')).openLlamaCpp(folder, positions);
    case 'onnxruntime-web q4':
      return (await import('./onnx.ts')).openOnnx(folder, 'q4', config);
    case 'onnxruntime-web fp32':
      return (await import('./onnx.ts')).openOnnx(folder, 'fp32', config);
  }
}
