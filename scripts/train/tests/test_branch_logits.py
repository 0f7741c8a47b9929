import torch

from train.branch_logits import branch_logits
from train.config import Config
from train.model import ASSISTANT, END, Glimpse
from train.packing import Branch, pack, pack_in_parts

PHOTOS = [
    [Branch([10 + photo, ASSISTANT], [20] * (1 + (photo + other) % 5) + [END]) for other in range(1 + photo % 2)]
    for photo in range(14)
]


@torch.no_grad()
def test_parts_give_what_all_photos_give_at_once(config: Config) -> None:
    torch.manual_seed(0)
    model = Glimpse(config).eval()
    images = torch.randn(len(PHOTOS), model.image_tokens, config.decoder.hidden)
    prefix = 1 + model.image_tokens
    packed = pack(PHOTOS, prefix)
    expected = model.packed_logits(images, packed)
    photos, tokens = packed.before_answers // packed.ids.shape[1], packed.before_answers % packed.ids.shape[1]

    parts = pack_in_parts(PHOTOS, prefix, 4)
    assert len(parts) == 4
    found = branch_logits(model, images, parts)
    order = found.photos.argsort(stable=True)
    torch.testing.assert_close(found.logits[order], expected)
    assert found.photos[order].equal(photos)
    assert found.branches[order].equal(packed.branches[photos, tokens] - 1)
    assert found.targets[order].equal(packed.targets)
