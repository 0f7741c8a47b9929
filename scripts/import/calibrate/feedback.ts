import { groupsOf, triangle, type Group, type InputMoments } from './input-moments.ts';

/**
 * How the inputs of a group make up for each other. With the group's second moments H = (L + I) D (L + I)',
 * L above the diagonal, a row's squared error at the output is the sum over inputs k of D[k] (t[k] - ŵ[k])²,
 * where t[k] = w[k] + sum over the inputs i before k of L[i, k] (w[i] - ŵ[i]): what the weights already rounded
 * leave for this one to put right. It is GPTQ (Frantar et al., arXiv:2210.17323) in the form of LDLQ (Chee et
 * al., arXiv:2307.13304), which has been proven the same and needs no inverse.
 */
export interface Feedback extends Group {
  /** Row k of the lower triangle: L[i, k] for each i before k, then D[k]. */
  readonly factors: Float64Array;
}

/**
 * Rows of independent inputs of the group's mean square that count as seen besides those that were: GPTQ's damping,
 * which grows weaker with every photo. Without it a few of them would be believed too much.
 */
const PRIOR = 128;

export function feedbackOf({ in_features, rows, sums }: InputMoments): readonly Feedback[] {
  return groupsOf(in_features).map((group) => {
    const factors = Float64Array.from(sums.subarray(group.at, group.at + triangle(group.size)));
    let trace = 0;
    for (let k = 0; k < group.size; k++) trace += factors[triangle(k) + k] ?? 0;
    const prior = trace === 0 ? 1 : (PRIOR * trace) / (rows * group.size);
    for (let k = 0; k < group.size; k++) {
      factors[triangle(k) + k] = (factors[triangle(k) + k] ?? 0) + prior;
    }
    factorise(factors, group.size);
    return { ...group, factors };
  });
}

/** Leaves L and D in the place of H, from the last input to the first. @param h the lower triangle of H */
function factorise(h: Float64Array, size: number): void {
  for (let k = size - 1; k > 0; k--) {
    const row = triangle(k);
    const diagonal = h[row + k] ?? 0;
    for (let m = 0; m < k; m++) {
      const factor = (h[row + m] ?? 0) / diagonal;
      const at = triangle(m);
      for (let i = 0; i <= m; i++) h[at + i] = (h[at + i] ?? 0) - factor * (h[row + i] ?? 0);
    }
    for (let m = 0; m < k; m++) h[row + m] = (h[row + m] ?? 0) / diagonal;
  }
}
