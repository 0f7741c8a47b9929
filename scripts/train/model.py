"""The whole network: encoder, projector and decoder."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import Config
from .decoder import Decoder
from .layers import Linear, RmsNorm, quantized_layers
from .packing import Packed
from .vision import Encoder

BOS, USER, ASSISTANT, END, IMAGE, PAD = range(6)
SPECIAL_TOKENS = ["<|endoftext|>", "<|user|>", "<|assistant|>", "<|end|>", "<image>", "<pad>"]


class Glimpse(nn.Module):
    def __init__(self, config: Config, dropout: float = 0, image_dropout: float = 0) -> None:
        """:param image_dropout: of an image's projected rows, the share that nothing sees in training"""
        super().__init__()
        self.image_dropout = image_dropout
        width, inner, hidden = config.vision.head_width, config.projector.hidden, config.decoder.hidden
        self.vision = Encoder(config.vision)
        self.pnorm = RmsNorm(width)
        self.p1, self.p2 = Linear(width, inner, width**-0.5), Linear(inner, hidden, 0.3 * inner**-0.5)
        named = config.label_names.names * config.label_names.tokens
        self.ppos = nn.Parameter(torch.randn(config.image_tokens - named, hidden) * 0.02)
        self.lpos = nn.Parameter(torch.randn(named, hidden) * 0.02)
        self.dec = Decoder(config.decoder, dropout)

    @property
    def image_tokens(self) -> int:
        return self.ppos.shape[0] + self.lpos.shape[0]

    def image_embeds(self, features: Tensor, label_ids: Tensor) -> Tensor:
        """
        The mean of the features, then each, and then the names of what they show.

        :param features: [photos, 1280, 7, 7]
        :param label_ids: of LabelNames, [photos, 12]
        :return: [photos, 50 + 12, hidden]
        """
        projected = self.projected(features) + self.ppos
        return torch.cat((projected, F.embedding(label_ids, self.dec.emb.matrix()) + self.lpos), 1)

    def projected(self, features: Tensor) -> Tensor:
        """The mean of the features and each of them, without places: [photos, 1280, 7, 7] -> [photos, 50, hidden]"""
        tokens = torch.cat((features.mean((2, 3))[:, None], features.flatten(2).transpose(1, 2)), 1)
        return self.p2(F.gelu(self.p1(self.pnorm(tokens)), approximate="tanh"))

    def no_image(self, texts: int) -> Tensor:
        """The image_embeds of texts without a photo: [texts, 0, hidden]"""
        return self.ppos.new_zeros(texts, 0, self.ppos.shape[1])

    def prefix(self, image_embeds: Tensor, embedding: Tensor) -> Tensor:
        """`<|user|>` and the image: [photos, 1 + image_tokens, hidden]"""
        user = embedding[USER].expand(image_embeds.shape[0], 1, -1)
        return torch.cat((user, image_embeds.to(embedding.dtype)), 1)

    def packed_logits(self, image_embeds: Tensor, packed: Packed) -> Tensor:
        """:return: [answered, vocabulary]"""
        embedding = self.dec.emb.matrix()
        prefix = self.prefix(image_embeds, embedding)
        embeds = torch.cat((prefix, F.embedding(packed.ids, embedding)), 1)
        start = torch.arange(prefix.shape[1], device=embeds.device).expand(embeds.shape[0], -1)
        positions = torch.cat((start, packed.positions), 1)
        hidden, _ = self.dec(embeds, positions, packed.mask(prefix.shape[1], self._dropped(image_embeds)))
        of_tokens = hidden[:, prefix.shape[1] :].flatten(0, 1)
        return self.dec.emb.product(of_tokens[packed.before_answers], embedding)

    def _dropped(self, image_embeds: Tensor) -> Tensor | None:
        """
        Other rows of the image each time, so that no photo is known by heart from a few of them (PatchDropout: Liu et
        al., arXiv:2208.07220); names stay. [photos, 1 + image_tokens]
        """
        if not self.training or self.image_dropout == 0 or image_embeds.shape[1] == 0:
            return None
        photos, rows = image_embeds.shape[0], self.ppos.shape[0]
        dropped = torch.rand(photos, rows, device=image_embeds.device) < self.image_dropout
        return F.pad(dropped, (1, self.lpos.shape[0]))

    def freeze_trunk(self) -> None:
        """What never changes: the stem, the frozen blocks and ImageNet's classifier."""
        self.vision.requires_grad_(False)
        for module in self.vision.tail_modules():
            module.requires_grad_(True)

    def quantize_in_loop(self) -> None:
        """All that is trained; what is frozen holds rounded values already."""
        for part in (self.p1, self.p2, self.dec, *self.vision.tail_modules()):
            for layer in quantized_layers(part):
                layer.in_loop = True
