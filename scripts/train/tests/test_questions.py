from random import Random

from train.captions import tidy
from train.questions import rules
from train.questions.negatives import Negatives


def test_tidies_what_people_wrote() -> None:
    assert tidy('a " dog " , running in the man \'s yard .') == "A dog, running in the man's yard."
    assert tidy("A dog .") is None


def test_present_takes_two_captions_and_small_things_one() -> None:
    captions = ["a dog runs with a stick", "a dog on a beach", "an animal plays with a tennis ball"]
    present, absent = rules.present_and_absent(captions)
    assert {"dog", "stick", "ball"} <= set(present)
    assert "beach" not in present and "beach" not in absent
    assert "cat" in absent


def questions(rule: rules.Rule, *captions: str) -> list[tuple[str, str]]:
    return rule(list(captions), Random(1))


def test_colors() -> None:
    found = questions(rules.colors, "a girl in a pink and grey dress", "a black man runs", "three red kayaks")
    assert [(question.split("color ")[1], answer) for question, answer in found] == [
        ("is the dress?", "Pink and gray.")
    ]


def test_counts() -> None:
    [(question, answer)] = questions(rules.counts, "three brown dogs run")
    assert "dogs" in question and answer == "Three."
    alone = ["a boy runs", "one boy jumps", "the little boy plays"]
    assert [answer for _, answer in questions(rules.counts, *alone)] == ["One."]
    assert questions(rules.counts, *alone[:2]) == []


def test_activities() -> None:
    [(question, answer)] = questions(rules.activities, "two young girls in white are jumping rope")
    assert question.startswith("What are the girls doing") and answer == "Jumping rope."
    assert questions(rules.activities, "a man wearing a hat") == []


def test_places() -> None:
    [(_, answer)] = questions(rules.places, "a dog sleeps on the red couch")
    assert answer == "On the red couch."


def test_subjects() -> None:
    assert [answer for _, answer in questions(rules.subjects, "the small dog runs", "a small dog barks")] == [
        "A small dog."
    ]


def test_hard_negatives_are_common_or_near() -> None:
    photos = [["bus", "street", "car"], ["truck", "street", "car"], ["dog", "grass"], ["dog", "grass"]] * 10
    negatives = Negatives(photos)
    absent = ["truck", "dog", "guitar"]
    drawn = [negatives.draw(["bus", "street"], absent, 1, Random(seed))[0] for seed in range(200)]
    assert drawn.count("truck") > drawn.count("dog")  # as confusable as the bus's company makes it, though rarer
    assert drawn.count("truck") > 10 * max(1, drawn.count("guitar"))
    assert sorted(negatives.draw(["bus"], absent, 5, Random(0))) == sorted(absent)
