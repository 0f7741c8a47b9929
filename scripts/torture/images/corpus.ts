import { exif } from './exif.ts';
import { jpegBombs } from './jpeg-bombs.ts';
import { jpegDamage } from './jpeg-damage.ts';
import { jpegKinds } from './jpeg-kinds.ts';
import { others } from './others.ts';
import { pngBombs } from './png-bombs.ts';
import { pngDamage } from './png-damage.ts';
import { pngKinds } from './png-kinds.ts';
import type { Specimen } from './specimen.ts';

export const corpus: readonly Specimen[] = [
  ...pngKinds,
  ...pngDamage,
  ...pngBombs,
  ...jpegKinds,
  ...jpegDamage,
  ...jpegBombs,
  ...exif,
  ...others,
];
