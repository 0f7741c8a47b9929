"""
What sampled captions are worth against people's: CIDEr-D and, in a weight of its own, BLEU, which asks for more of the
words that people use and less that the caption tells this photo from others.
"""

import math
import multiprocessing
from collections import Counter

from pycocoevalcap.bleu.bleu_scorer import BleuScorer

from .captions import scored_words

LONGEST, SIGMA, END_WORD = 4, 6, "."
Vectors = list[dict[tuple[str, ...], float]]


class CaptionReward:
    def __init__(self, references: list[list[str]], bleu_weight: float) -> None:
        """:param references: by photo"""
        self.cider, self.bleu, self.bleu_weight = CiderReward(references), BleuReward(references), bleu_weight

    def __call__(self, photo: int, caption: str) -> float:
        return self.cider(photo, caption) + self.bleu_weight * self.bleu(photo, caption)


class Rewarder:
    """Rewards of many captions, in processes of their own where there are some."""

    CHUNK = 16

    def __init__(self, reward: CaptionReward, workers: int) -> None:
        self.reward = reward
        # Forked, so that the references are there without being sent.
        self.pool = multiprocessing.get_context("fork").Pool(workers, _keep, (reward,)) if workers > 0 else None

    def __call__(self, captions: list[tuple[int, str]]) -> list[float]:
        """:param captions: each with its photo"""
        if self.pool is None:
            return [self.reward(photo, caption) for photo, caption in captions]
        return self.pool.starmap(_reward, captions, self.CHUNK)


_kept: CaptionReward


def _keep(reward: CaptionReward) -> None:
    global _kept
    _kept = reward


def _reward(photo: int, caption: str) -> float:
    return _kept(photo, caption)


class BleuReward:
    """The mean of a caption's own BLEU-1 to BLEU-4 (Papineni et al., ACL 2002)."""

    def __init__(self, references: list[list[str]]) -> None:
        """:param references: by photo"""
        self.references = [[" ".join(scored_words(caption)) for caption in captions] for captions in references]

    def __call__(self, photo: int, caption: str) -> float:
        """:return: of 0 to 1"""
        scorer = BleuScorer(" ".join(scored_words(caption)), self.references[photo], n=LONGEST)
        _, by_order = scorer.compute_score("closest")
        return sum(score for (score,) in by_order) / LONGEST


class CiderReward:
    """
    CIDEr-D (Vedantam et al., arXiv:1411.5726), with document frequencies from the training captions. The end counts as
    a word, or captions learn to break off (Luo, arXiv:2003.09971); one that was cut has none.
    """

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
    words = scored_words(caption) + [END_WORD] * caption.endswith(END_WORD)
    return [Counter(zip(*(words[i:] for i in range(n)), strict=False)) for n in range(1, LONGEST + 1)]
