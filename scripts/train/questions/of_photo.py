"""What training asks about one captioned photo."""

from random import Random

from ..config import Batch
from .negatives import Negatives
from .rules import OTHER_RULES, QuestionAnswer, lowered, present_and_absent
from .vocabulary import with_article

CAPTION_PROMPT = "Describe the image."
CAPTION_PROMPTS = (
    CAPTION_PROMPT,
    "Describe this image.",
    "Describe the picture.",
    "What is in this image?",
    "What is happening in this picture?",
    "What do you see?",
    "Caption this image.",
    "Write a caption for this photo.",
    "Can you describe this photo?",
    "What does the image show?",
    "What's in the photo?",
    "Tell me about this picture.",
    "Explain what is happening.",
    "Describe the scene.",
    "What is going on here?",
)
YES_NO = (
    "Is there {} in the image?",
    "Is there {} in the picture?",
    "Do you see {}?",
    "Can you see {}?",
    "Is there {}?",
    "Does the image contain {}?",
)


def caption_prompt(rng: Random) -> str:
    """The plain one more often than any other."""
    return CAPTION_PROMPT if rng.random() < 0.25 else rng.choice(CAPTION_PROMPTS)


def yes_no(thing: str, answer: bool, rng: Random) -> QuestionAnswer:
    return rng.choice(YES_NO).format(with_article(thing)), "Yes." if answer else "No."


def questions_of_photo(captions: list[str], negatives: Negatives, sizes: Batch, rng: Random) -> list[QuestionAnswer]:
    """Yes-no questions, half of each answer, and of the other kinds one each."""
    low = lowered(captions)
    present, absent = present_and_absent(low)
    half = min(sizes.yes_no // 2, len(present))
    chosen = [yes_no(thing, True, rng) for thing in rng.sample(present, half)]
    chosen += [yes_no(thing, False, rng) for thing in negatives.draw(present, absent, half, rng)]
    kinds = [found for found in (rule(low, rng) for rule in OTHER_RULES) if found]
    chosen += [rng.choice(found) for found in rng.sample(kinds, min(sizes.other_questions, len(kinds)))]
    return chosen
