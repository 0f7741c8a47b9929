import torch

from train.config import Config
from train.model import ASSISTANT, END, Glimpse
from train.packing import MULTIPLE, Branch, pack, pack_in_parts

BRANCHES = [
    Branch([10, 11, ASSISTANT], [20, 21, 22, END]),
    Branch([12, ASSISTANT], [23, END]),
    Branch([10, 13, 14, ASSISTANT], [24, 25, END]),
]


def token_losses(model: Glimpse, branches: list[list[Branch]], image: torch.Tensor) -> torch.Tensor:
    packed = pack(branches, 1 + model.image_tokens)
    return torch.nn.functional.cross_entropy(model.packed_logits(image, packed), packed.targets, reduction="none")


def test_packed_answers_lose_what_separate_ones_do(config: Config) -> None:
    torch.manual_seed(0)
    model = Glimpse(config).eval()
    images = torch.randn(2, model.image_tokens, config.decoder.hidden)
    together = token_losses(model, [BRANCHES, BRANCHES[1:]], images)
    apart = [token_losses(model, [[branch]], images[:1]) for branch in BRANCHES]
    apart += [token_losses(model, [[branch]], images[1:]) for branch in BRANCHES[1:]]
    torch.testing.assert_close(together, torch.cat(apart))


def test_only_answers_are_targets() -> None:
    packed = pack([BRANCHES[:2], BRANCHES[1:2]], prefix=MULTIPLE - 11)
    assert packed.targets.tolist() == [20, 21, 22, END, 23, END, 23, END]
    assert packed.before_answers.tolist() == [2, 3, 4, 5, 8, 9, 12, 13]
    assert packed.ids.flatten()[packed.before_answers].tolist() == [ASSISTANT, 20, 21, 22, *[ASSISTANT, 23] * 2]
    assert packed.branches[1].tolist() == [1] * 4 + [-1] * 7
    assert packed.positions[0].tolist() == [21, 22, 23, 24, 25, 26, 27, 21, 22, 23, 24]


def test_dropped_rows_of_an_image_are_not_seen(config: Config) -> None:
    torch.manual_seed(0)
    model = Glimpse(config, image_dropout=1.0)
    image = torch.randn(1, model.image_tokens, config.decoder.hidden)
    rows = model.ppos.shape[0]
    other_image, other_names = image.clone(), image.clone()
    other_image[:, :rows] += 1
    other_names[:, rows:] += 1
    seen, with_other_image, with_other_names = (
        token_losses(model.train(), [BRANCHES], one) for one in (image, other_image, other_names)
    )
    torch.testing.assert_close(with_other_image, seen)
    assert not torch.allclose(with_other_names, seen)
    assert not torch.allclose(token_losses(model.eval(), [BRANCHES], image), seen)


def test_texts_without_a_photo_are_kept_apart(config: Config) -> None:
    model = Glimpse(config).eval()
    losses = [token_losses(model, [each], model.no_image(1)) for each in (BRANCHES, BRANCHES[:1])]
    torch.testing.assert_close(losses[0][: len(losses[1])], losses[1])


def test_a_photo_that_nothing_is_asked_about_is_in_no_part() -> None:
    parts = pack_in_parts([BRANCHES, [], BRANCHES[:1]], prefix=5, parts=2)
    assert [part.photos.tolist() for part in parts] == [[2], [0]]
