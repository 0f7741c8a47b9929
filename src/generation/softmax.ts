/** Probabilities of logits, in double precision. // [vocab_size] */
export function softmax(logits: Float32Array): Float64Array {
  const log_sum = logSumExp(logits);
  return Float64Array.from(logits, (logit) => Math.exp(logit - log_sum));
}

/** log(sum(exp(logits))), without overflow. */
export function logSumExp(logits: Float32Array): number {
  const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  return max + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - max), 0));
}
