import torch

from train.branch_logits import TOGETHER, branch_logits
from train.config import Config
from train.model import ASSISTANT, END, Glimpse
from train.packing import IGNORED, Branch, pack

PHOTOS = [
    [Branch([10 + photo, ASSISTANT], [20] * (1 + photo % 5) + [END], advantage=photo if photo % 2 else None)]
    for photo in range(TOGETHER + 2)
]


def losses(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(logits, targets, reduction="none")


@torch.no_grad()
def test_parts_give_what_all_photos_give_at_once(config: Config) -> None:
    torch.manual_seed(0)
    model = Glimpse(config).eval()
    images = torch.randn(len(PHOTOS), model.image_tokens, config.decoder.hidden)
    packed = pack(PHOTOS, 1 + model.image_tokens)
    answered = packed.targets != IGNORED
    expected = losses(model.packed_logits(images, packed, answered), packed.targets[answered])

    found = branch_logits(model, images, PHOTOS)
    torch.testing.assert_close(losses(found.logits, found.targets).sort().values, expected.sort().values)
    advantages = packed.advantages[answered]
    assert found.advantages.isnan().sum() == advantages.isnan().sum()
    assert found.advantages.nansum() == advantages.nansum()
