"""
CIDEr-D (Vedantam et al., arXiv:1411.5726) of sampled captions, with document frequencies from the training captions.
The end counts as a word, or captions learn to break off (Luo, arXiv:2003.09971).
"""

import math
from collections import Counter

from .captions import scored_words

LONGEST, SIGMA, END_WORD = 4, 6, "."
Vectors = list[dict[tuple[str, ...], float]]


class CiderReward:
    def __init__(self, references: list[list[str]]) -> None:
        """:param references: by photo"""
        counted = [[_count(caption) for caption in captions] for captions in references]
        self.frequency: Counter[tuple[str, ...]] = Counter()
        for captions in counted:
            self.frequency.update({ngram for caption in captions for counts in caption for ngram in counts})
        self.photos = math.log(len(references))
        self.references = [[self._vectors(caption) for caption in captions] for captions in counted]

    def __call__(self, photo: int, caption: str) -> float:
        """:return: of 0 to 10"""
        vectors, norms, length = self._vectors(_count(caption))
        total = 0.0
        for other, other_norms, other_length in self.references[photo]:
            cosines = 0.0
            for n in range(LONGEST):
                dot = sum(
                    min(value, other[n].get(ngram, 0)) * other[n].get(ngram, 0) for ngram, value in vectors[n].items()
                )
                cosines += dot / max(norms[n] * other_norms[n], 1e-9)
            total += cosines / LONGEST * math.exp(-((length - other_length) ** 2) / (2 * SIGMA**2))
        return 10 * total / len(self.references[photo])

    def _vectors(self, caption: list[Counter[tuple[str, ...]]]) -> tuple[Vectors, list[float], int]:
        vectors = [
            {ngram: count * (self.photos - math.log(self.frequency[ngram] or 1)) for ngram, count in counts.items()}
            for counts in caption
        ]
        norms = [math.sqrt(sum(value * value for value in vector.values())) for vector in vectors]
        return vectors, norms, sum(caption[0].values())


def _count(caption: str) -> list[Counter[tuple[str, ...]]]:
    words = [*scored_words(caption), END_WORD]
    return [Counter(zip(*(words[i:] for i in range(n)), strict=False)) for n in range(1, LONGEST + 1)]
