import type { FixedSizeConfig } from '../fixed-size-config.ts';
import type { Window } from './coefficients.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Where an upright picture goes on the canvas the model sees. */
export interface Geometry {
  readonly canvas: Size;
  /** What of the resized picture is kept. */
  readonly x: Window;
  readonly y: Window;
  /** Where on the canvas its corner lies; the rest is background. */
  readonly left: number;
  readonly top: number;
}

/** @param width, height of the picture as it is viewed, after its EXIF orientation. */
export function planGeometry(width: number, height: number, config: FixedSizeConfig): Geometry {
  if (config.do_pad) return fitAndPad(width, height, config.canvas);
  if (config.shortest_edge !== null) return coverAndCrop(width, height, config.shortest_edge, config.canvas);
  const { stretched, canvas } = config;
  return {
    canvas,
    x: middle(stretched.width, canvas.width),
    y: middle(stretched.height, canvas.height),
    left: 0,
    top: 0,
  };
}

export const whole = (length: number): Window => ({ resized: length, start: 0, length });

/** As transformers: the shorter edge to `edge`, the longer rounded down. */
export function rescaleToShortestEdge({ width, height }: Size, edge: number): Size {
  const longer = Math.trunc((edge * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: edge, height: longer } : { width: longer, height: edge };
}

function coverAndCrop(width: number, height: number, edge: number, canvas: Size): Geometry {
  const resized = rescaleToShortestEdge({ width, height }, edge);
  return {
    canvas,
    x: middle(resized.width, canvas.width),
    y: middle(resized.height, canvas.height),
    left: 0,
    top: 0,
  };
}

const middle = (resized: number, length: number): Window => ({
  resized,
  start: Math.floor((resized - length) / 2),
  length,
});

/** As Pillow's ImageOps.pad: the largest size that fits, centred. */
function fitAndPad(width: number, height: number, canvas: Size): Geometry {
  const wide = width / height > canvas.width / canvas.height;
  const fitted = wide
    ? { width: canvas.width, height: Math.max(1, roundHalfEven((height / width) * canvas.width)) }
    : { width: Math.max(1, roundHalfEven((width / height) * canvas.height)), height: canvas.height };
  return {
    canvas,
    x: whole(fitted.width),
    y: whole(fitted.height),
    left: roundHalfEven((canvas.width - fitted.width) * 0.5),
    top: roundHalfEven((canvas.height - fitted.height) * 0.5),
  };
}

/** Python's round. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
