import type { HeardFile } from './heard-file.ts';

/** What a model's layers read of photos: they can be rounded for it. */
export interface Calibration extends Pick<HeardFile, 'inputsOf' | 'close'> {
  /** Of all that decides it. */
  readonly fingerprint: string;
}
