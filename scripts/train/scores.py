"""Scores of captions as pycocoevalcap defines them, on words as evaluation counts them, in points of 100."""

import contextlib
import io

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

from .captions import scored_words


def caption_scores(captions: list[str], references: list[list[str]]) -> dict[str, float]:
    """BLEU over the corpus, the means of ROUGE-L and CIDEr; and the mean length, in words, of both."""
    ours = {i: [" ".join(scored_words(caption))] for i, caption in enumerate(captions)}
    theirs = {i: [" ".join(scored_words(caption)) for caption in photo] for i, photo in enumerate(references)}
    with contextlib.redirect_stdout(io.StringIO()):  # Bleu prints lengths
        bleu, _ = Bleu(4).compute_score(theirs, ours)
        rouge, _ = Rouge().compute_score(theirs, ours)
        cider, _ = Cider().compute_score(theirs, ours)
    scores = {f"bleu_{n}": 100 * value for n, value in enumerate(bleu, 1)}
    return scores | {
        "rouge_l": 100 * float(rouge),
        "cider": 100 * float(cider),
        "words": _mean_length([text for texts in ours.values() for text in texts]),
        "reference_words": _mean_length([text for texts in theirs.values() for text in texts]),
    }


def _mean_length(texts: list[str]) -> float:
    return sum(len(text.split()) for text in texts) / len(texts)
