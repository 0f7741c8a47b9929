"""Hard negatives: what a photo does not show, but might."""

import itertools
from collections import Counter
from collections.abc import Iterable
from random import Random

import numpy as np

from .vocabulary import FORMS

LEAST = 5
"""Added to how often a thing was seen, so that a rare one is asked for at all."""


class Negatives:
    """
    Draws absent things by how common they are, times how near they are to what is present: the larger of how
    often they are seen beside it, and of how alike the company is that both keep (a bus stands among what a truck
    stands among, so the two are easily confused).
    """

    def __init__(self, photos: Iterable[list[str]]) -> None:
        """:param photos: the things present on each"""
        things = list(FORMS)
        index = {thing: i for i, thing in enumerate(things)}
        seen: Counter[str] = Counter()
        together = np.zeros((len(things), len(things)))
        for present in photos:
            seen.update(present)
            for a, b in itertools.permutations(present, 2):
                together[index[a], index[b]] += 1
        self.index = index
        self.common = np.array([seen[thing] + LEAST for thing in things], dtype=float)
        beside = together / self.common[:, None]  # [present, absent]: how often the second, given the first
        company = together / np.linalg.norm(together, axis=1, keepdims=True).clip(1e-9)
        self.near = np.maximum(beside, company @ company.T)

    def draw(self, present: list[str], absent: list[str], count: int, rng: Random) -> list[str]:
        """:return: `count` of the absent things, or all where there are fewer"""
        columns = [self.index[thing] for thing in absent]
        rows = [self.index[thing] for thing in present]
        near = self.near[np.ix_(rows, columns)].max(0) if rows else np.ones(len(columns))
        weights = self.common[columns] * near
        # The largest of weighted exponentials: drawing without replacement (Efraimidis and Spirakis, 2006).
        keys = [rng.random() ** (1 / max(weight, 1e-9)) for weight in weights]
        order = sorted(range(len(absent)), key=keys.__getitem__, reverse=True)
        return [absent[i] for i in order[:count]]
