"""A small Llama (Touvron et al., arXiv:2302.13971) with tied embeddings, as transformers' LlamaForCausalLM."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import Decoder as Sizes
from .layers import Linear, Quantized, RmsNorm

ROPE_THETA = 10_000
Cache = list[tuple[Tensor, Tensor]]
"""By layer, the keys and the values, [sequences, heads, tokens, head_dim]."""


class SequenceDropout(nn.Module):
    """Drops the same channels of every token of a sequence."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.share == 0:
            return x
        kept = torch.rand(x.shape[0], 1, x.shape[2], device=x.device) >= self.share
        return x * kept / (1 - self.share)


class Layer(nn.Module):
    def __init__(self, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        hidden, inner = sizes.hidden, sizes.intermediate
        self.heads = sizes.heads
        self.n1, self.n2 = RmsNorm(hidden), RmsNorm(hidden)
        self.q, self.k, self.v, self.o = (Linear(hidden, hidden) for _ in range(4))
        self.g, self.u, self.dn = Linear(hidden, inner), Linear(hidden, inner), Linear(inner, hidden)
        self.dropout = SequenceDropout(dropout)

    def forward(
        self, x: Tensor, angles: tuple[Tensor, Tensor], mask: Tensor | None, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        normed = self.n1(x)
        q, k, v = (self._split(linear(normed)) for linear in (self.q, self.k, self.v))
        q, k = rotate(q, *angles).to(v.dtype), rotate(k, *angles).to(v.dtype)
        if past is not None:
            k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.dropout(self.o(attended.transpose(1, 2).flatten(2)))
        normed = self.n2(x)
        x = x + self.dropout(self.dn(F.silu(self.g(normed)) * self.u(normed)))
        return x, (k, v)

    def _split(self, x: Tensor) -> Tensor:
        """[sequences, tokens, hidden] -> [sequences, heads, tokens, head_dim]"""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Decoder(nn.Module):
    def __init__(self, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        self.emb = Quantized(torch.randn(sizes.vocabulary, sizes.hidden) * 0.02, bits=4)
        self.layers = nn.ModuleList(Layer(sizes, dropout) for _ in range(sizes.layers))
        self.norm = RmsNorm(sizes.hidden)
        self.dropout = SequenceDropout(dropout)
        half = sizes.hidden // sizes.heads // 2
        self.frequencies = ROPE_THETA ** (-torch.arange(half) / half)

    def forward(
        self, embeds: Tensor, positions: Tensor, mask: Tensor | None, past: Cache | None = None
    ) -> tuple[Tensor, Cache]:
        """
        :param embeds: [sequences, tokens, hidden]
        :param positions: [sequences, tokens]
        :param mask: True where a token (second to last) may see another (last); broadcast to
            [sequences, heads, tokens, all tokens]. None: it sees all
        :return: the normed hidden states [sequences, tokens, hidden], and the keys and values of all tokens
        """
        turns = positions[:, None, :, None].float() * self.frequencies.to(positions.device)
        angles = turns.cos().repeat(1, 1, 1, 2), turns.sin().repeat(1, 1, 1, 2)
        x, cache = self.dropout(embeds), []
        for index, layer in enumerate(self.layers):
            x, pair = layer(x, angles, mask, None if past is None else past[index])
            cache.append(pair)
        return self.norm(x), cache


def rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Rotary positions (Su et al., arXiv:2104.09864), halves rotated against each other."""
    first, second = x.chunk(2, -1)
    return x * cosines + torch.cat((-second, first), -1) * sines
