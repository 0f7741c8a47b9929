import type { HeardFile } from './heard-file.ts';

/** What a model's layers read of photos: they can be rounded for it. */
export interface Calibration extends Pick<HeardFile, 'inputsOf'> {
  /** Of all that decides it. */
  readonly fingerprint: string;
  /** Takes away what stands on the disk. */
  remove(): Promise<void>;
}
