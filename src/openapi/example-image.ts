/** A blue square of 8 by 8 pixels, for examples that run as they stand. */
export const EXAMPLE_IMAGE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFUlEQVR42mPUqDjBgA0wMeAAg1MCABznAXiY7kjRAAAAAElFTkSuQmCC';

/** What it is called by when it has been sent. */
export const EXAMPLE_HANDLE = 'sha256:6cd98a911d1878785af963b56c9e6b1440678ece87715fdf585e35f0014f17c1';
