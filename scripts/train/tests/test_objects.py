from collections import Counter
from random import Random

from train.objects import ObjectPhoto, mentions_object, names_object, questions_of_object, split_objects, well_known

NAMES = ["dog"] * 20 + ["bird"] * 2 + ["cat"] * 5 + [f"thing {i}" for i in range(73)]
PHOTOS = [ObjectPhoto(i, i, f"label {i}", name) for i, name in enumerate(NAMES)]


def test_a_fifth_is_held_out_with_every_shared_name_on_both_sides() -> None:
    trained, held_out = split_objects(PHOTOS, 0.2, seed=0)
    assert len(held_out) == 20
    assert sorted([*trained, *held_out], key=lambda photo: photo.index) == PHOTOS
    ours, theirs = (Counter(photo.common_name for photo in side) for side in (trained, held_out))
    assert (theirs["dog"], theirs["bird"], theirs["cat"]) == (4, 1, 1)
    assert ours["dog"] and ours["bird"] and ours["cat"]


def test_the_seed_decides() -> None:
    assert split_objects(PHOTOS, 0.2, seed=3) == split_objects(PHOTOS, 0.2, seed=3)
    assert split_objects(PHOTOS, 0.2, seed=3) != split_objects(PHOTOS, 0.2, seed=4)


def test_questions_of_an_object() -> None:
    asked = dict(questions_of_object(ObjectPhoto(0, 283, "Persian cat", "cat"), ["cat", "dog"], set(), Random(0)))
    assert asked["What kind of cat is this?"] == "A Persian cat."
    assert "A cat." in asked.values()
    assert "A photo of a cat." in asked.values()
    assert {answer for question, answer in asked.items() if "dog" in question} == {"No."}


def test_what_captions_know_is_described_as_they_do() -> None:
    photo = ObjectPhoto(0, 283, "Persian cat", "cat")
    answers = [answer for _, answer in questions_of_object(photo, ["dog"], {"cat"}, Random(0))]
    assert not any(answer.startswith("A photo") for answer in answers)
    assert well_known([["A cat on a cat ."]] * 99 + [["A dog ."]] * 100) == {"a", "dog"}


def test_scores_of_an_object() -> None:
    photo = ObjectPhoto(0, 279, "Arctic fox", "fox")
    assert names_object("Fox.", photo) and names_object("An arctic fox.", photo) and names_object("A fox.", photo)
    assert not names_object("A fox in the snow.", photo)
    assert mentions_object("Two foxes in the snow.", photo)
    assert not mentions_object("A foxtrot.", photo)
