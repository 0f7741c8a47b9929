/**
 * Bytes of an isolate's 128 MB for weights, activations, keys and values: what a large model leaves to JavaScript.
 * The default one takes some 20 MB, and what requests may hold at once is bounded by admission/.
 */
export const ISOLATE_KERNELS_MEMORY = 108 * 2 ** 20;
