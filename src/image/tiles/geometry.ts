import type { Size } from '../resize/geometry.ts';

/** transformers' MAX_IMAGE_SIZE. */
const MAX_EDGE = 4096;

/** The first resize (get_resize_output_image_size): up or down to the edge, the other one even. */
export function rescaleToEdge({ width, height }: Size, longest_edge: number): Size {
  const edge = Math.min(longest_edge, MAX_EDGE);
  const aspect = width / height;
  return width >= height
    ? { width: edge, height: Math.max(1, even(Math.trunc(edge / aspect))) }
    : { width: Math.max(1, even(Math.trunc(edge * aspect))), height: edge };
}

/** The second (resize_for_vision_encoder): the longer edge up to a multiple of the tile, then the other. */
export function roundUpToTiles({ width, height }: Size, tile: number): Size {
  const up = (length: number): number => Math.ceil(length / tile) * tile;
  const aspect = width / height;
  return width >= height
    ? { width: up(width), height: up(Math.trunc(up(width) / aspect)) }
    : { width: up(Math.trunc(up(height) * aspect)), height: up(height) };
}

const even = (length: number): number => length + (length % 2);
