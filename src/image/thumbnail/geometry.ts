import { imageTooLarge } from '../errors.ts';
import { rescaleToShortestEdge, whole, type Geometry, type Size } from '../resize/geometry.ts';
import type { ThumbnailConfig } from './config.ts';

/** Of the picture between its two resizes, which is held: 48 MB. */
const MAX_PIXELS = 16_000_000;

/** Whether the picture lies and the canvas stands, or the other way round. */
export function isAcross({ width, height }: Size, { align_long_axis, canvas }: ThumbnailConfig): boolean {
  return align_long_axis && (width - height) * (canvas.width - canvas.height) < 0;
}

/**
 * The first resize: the shorter edge to the canvas's shorter one.
 * @throws image_too_large for a picture so long that it would be huge by then, or nothing in the end
 */
export function coveringSize(picture: Size, { canvas }: ThumbnailConfig): Size {
  const covering = rescaleToShortestEdge(picture, Math.min(canvas.width, canvas.height));
  const { width, height } = thumbnailSize(covering, canvas);
  if (covering.width * covering.height <= MAX_PIXELS && width > 0 && height > 0) return covering;
  throw imageTooLarge(
    `The image is ${picture.width}x${picture.height}, too long for this model, which sees it within ${canvas.width}x${canvas.height}. Send a part of it.`,
  );
}

/** The second (thumbnail): down to what fits the canvas. */
export function thumbnailSize({ width, height }: Size, canvas: Size): Size {
  const fitted = { width: Math.min(width, canvas.width), height: Math.min(height, canvas.height) };
  if (fitted.width === width && fitted.height === height) return fitted;
  if (height > width) return { ...fitted, width: Math.trunc((width * fitted.height) / height) };
  if (width > height) return { ...fitted, height: Math.trunc((height * fitted.width) / width) };
  return fitted;
}

/** Where it goes (pad_image). */
export function centred({ width, height }: Size, canvas: Size): Geometry {
  return {
    canvas,
    x: whole(width),
    y: whole(height),
    left: Math.floor((canvas.width - width) / 2),
    top: Math.floor((canvas.height - height) / 2),
  };
}
