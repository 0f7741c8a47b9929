"""
Questions derived from one photo's captions, a rule a kind. Captions come in lower case and without their full
stop; a rule gives every question with its answer that it finds.
"""

import re
from collections import Counter
from collections.abc import Callable
from random import Random

from ..captions import sentence
from .vocabulary import (
    COLOR_SPELLINGS,
    COLORED,
    COLORS,
    COMPOUNDS,
    FORMS,
    HUMANS,
    NOT_ACTIVITIES,
    NUMBERS,
    PLACES,
    PREPOSITIONS,
    SINGULARS,
    SKIN_COLORS,
    SMALL,
    SUBJECTS,
    verb,
)

QuestionAnswer = tuple[str, str]
Rule = Callable[[list[str], Random], list[QuestionAnswer]]

HOW_MANY = ("How many {} are there?", "How many {} do you see?", "How many {} are in the image?")
PLACE_QUESTIONS = ("Where was this photo taken?", "Where is this?", "Where does this take place?")
SUBJECT_QUESTIONS = ("Who or what is in the picture?", "What is the main subject?", "Who is in the image?")

_any = "|".join
_COLOR = re.compile(
    rf"\b({_any(COLORS)})(?:(?: and |, | , )({_any(COLORS)}))?(?: and ({_any(COLORS)}))? (?:\w+ )?"
    rf"({_any(SUBJECTS + COLORED)})\b"
)
_COUNT = re.compile(rf"\b({_any(NUMBERS)}) (?:[a-z\-]+ )?(?:[a-z\-]+ )?({_any(SINGULARS)})\b")
_ACTIVITY = re.compile(
    rf"^(?:an?|the|two|three|four|five|several|some|one) (?:[a-z\-,]+ ){{0,6}}?({_any(SUBJECTS)})\b"
    r"(?: (?:in|wearing|with) [a-z\- ,]+?)?(?: (?:is|are))? ([a-z]+ing .*)$"
)
_PLACE = re.compile(
    rf" ((?:{_any(PREPOSITIONS)}) (?:(?:a|an|the|some|his|her|their) )?(?:[a-z\-]+ )?(?:[a-z\-]+ )?"
    rf"(?:{_any(PLACES)}))$"
)
_SUBJECT = re.compile(
    r"^((?:an?|two|three|four|the|several|some) (?:[a-z\-]+ )?(?:and [a-z]+ )?(?:[a-z\-]+ )?"
    rf"(?:{_any(SUBJECTS)}))\b"
)
_LONGEST_ACTIVITY, _LONGEST_PLACE = 12, 6  # words
_AGREEING = 3  # captions that begin with one of a kind, before it is counted as one


def lowered(captions: list[str]) -> list[str]:
    return [caption.lower().rstrip(".") for caption in captions]


def present_and_absent(captions: list[str]) -> tuple[list[str], list[str]]:
    """The things of the vocabulary that the captions show, and those that none names."""
    worded = [_words(caption) for caption in captions]
    named = {thing: sum(bool(words & forms) for words in worded) for thing, forms in FORMS.items()}
    present = [thing for thing, count in named.items() if count >= (1 if thing in SMALL else 2)]
    return present, [thing for thing, count in named.items() if count == 0]


def colors(captions: list[str], rng: Random) -> list[QuestionAnswer]:
    found = []
    for caption in captions:
        for match in _COLOR.finditer(caption):
            *shades, noun = match.groups()
            shades = [COLOR_SPELLINGS.get(shade, shade) for shade in shades if shade]
            if noun in HUMANS and shades[0] in SKIN_COLORS:
                continue
            answer = " and ".join(shades) if len(shades) < 3 else f"{shades[0]}, {shades[1]} and {shades[2]}"
            question = rng.choice(("What color", "What color", "Which color"))
            found.append((f"{question} {verb(noun)} the {noun}?", sentence(answer)))
    return found


def counts(captions: list[str], rng: Random) -> list[QuestionAnswer]:
    found = []
    for caption in captions:
        for number, plural in _COUNT.findall(caption):
            found.append((rng.choice(HOW_MANY).format(plural), sentence(number)))
    named = set().union(*map(_words, captions))
    for plural, singular in SINGULARS.items():
        alone = re.compile(rf"^(a|an|the|one) (?:[a-z\-]+ ){{0,3}}{singular}\b")
        enough = sum(bool(alone.match(caption)) for caption in captions) >= _AGREEING
        if enough and plural not in named and plural not in ("people", "kids", "guys"):
            found.append((rng.choice(HOW_MANY).format(plural), "One."))
    return found


def activities(captions: list[str], rng: Random) -> list[QuestionAnswer]:
    found = []
    for match in filter(None, map(_ACTIVITY.match, captions)):
        subject, activity = match.groups()
        if NOT_ACTIVITIES.match(activity) or len(activity.split()) > _LONGEST_ACTIVITY:
            continue
        end = rng.choice(("?", "?", " in this picture?"))
        found.append((f"What {verb(subject)} the {subject} doing{end}", sentence(activity)))
    return found


def places(captions: list[str], rng: Random) -> list[QuestionAnswer]:
    found = []
    for caption in captions:
        match = _PLACE.search(caption)
        if match is None or len(match[1].split()) > _LONGEST_PLACE:
            continue
        questions = list(PLACE_QUESTIONS)
        subjects = [subject for subject in SUBJECTS if re.search(rf"\b{subject}\b", caption)]
        if subjects:
            subject = rng.choice(subjects)
            questions += [f"Where {verb(subject)} the {subject}?"] * 3
        found.append((rng.choice(questions), sentence(match[1])))
    return found


def subjects(captions: list[str], rng: Random) -> list[QuestionAnswer]:
    matches = filter(None, map(_SUBJECT.match, captions))
    phrases = Counter(match[1].replace("the ", "a ") for match in matches)
    return [(rng.choice(SUBJECT_QUESTIONS), sentence(phrase)) for phrase in phrases]


OTHER_RULES: tuple[Rule, ...] = (colors, counts, activities, places, subjects)


def _words(caption: str) -> set[str]:
    """Those of the caption, and its compounds as one word each: a tennis ball is one, and a ball too."""
    joined = caption
    for compound in COMPOUNDS:
        joined = joined.replace(compound, compound.replace(" ", "_"))
    return set(re.findall(r"[a-z\-]+", caption)) | set(re.findall(r"[a-z_\-]+", joined))
