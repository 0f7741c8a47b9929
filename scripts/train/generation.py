"""Answers, many photos at once: greedy, sampled, and by beam search as transformers and the engine have it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .decoder import Cache
from .model import ASSISTANT, END, Glimpse

MAX_NEW_TOKENS = 40
Choose = Callable[[Tensor], Tensor]
"""Of logits [sequences, vocabulary] the next tokens [sequences]"""


def greedy(logits: Tensor) -> Tensor:
    return logits.argmax(-1)


@dataclass(frozen=True)
class Sampled:
    temperature: float

    def __call__(self, logits: Tensor) -> Tensor:
        return torch.multinomial((logits.float() / self.temperature).softmax(-1), 1)[:, 0]


@torch.no_grad()
def generate(
    model: Glimpse,
    image_embeds: Tensor,
    prompt: Tensor,
    choose: Choose = greedy,
    copies: int = 1,
    max_new_tokens: int = MAX_NEW_TOKENS,
) -> list[list[int]]:
    """
    :param image_embeds: [photos, image_tokens, hidden]
    :param prompt: [photos, tokens], without `<|assistant|>`
    :param copies: answers a photo, one behind the other
    :return: by answer its tokens without `<|end|>`
    """
    embedding, logits, cache = prefill(model, image_embeds, prompt)
    logits = logits.repeat_interleave(copies, 0)
    cache = copied(cache, copies)
    ended = torch.zeros(logits.shape[0], dtype=torch.bool, device=logits.device)
    steps = []
    while len(steps) < max_new_tokens:
        tokens = choose(logits).masked_fill(ended, END)
        steps.append(tokens)
        ended = ended | (tokens == END)
        if ended.all():
            break
        logits, cache = step(model, embedding, tokens, cache)
    return [until_end(answer) for answer in torch.stack(steps, 1).tolist()]


@torch.no_grad()
def beam_search(
    model: Glimpse, image_embeds: Tensor, prompt: Tensor, beams: int, max_new_tokens: int = MAX_NEW_TOKENS
) -> list[list[int]]:
    """With a length penalty of 1: an answer's score is the mean log-probability of its tokens, `<|end|>` among them."""
    embedding, logits, cache = prefill(model, image_embeds, prompt)
    photos = logits.shape[0]
    cache = copied(cache, beams)
    logits = logits.repeat_interleave(beams, 0)
    scores = torch.full((photos, beams), -torch.inf, device=logits.device)
    scores[:, 0] = 0  # the beams are all alike yet: one goes on
    answers: list[list[list[int]]] = [[[] for _ in range(beams)] for _ in range(photos)]
    complete: list[list[tuple[float, list[int]]]] = [[] for _ in range(photos)]
    open_photos = set(range(photos))
    for length in range(1, max_new_tokens + 1):
        totals = scores[:, :, None] + logits.float().log_softmax(-1).unflatten(0, (photos, beams))
        values, places = totals.flatten(1).topk(2 * beams)
        rows, tokens = [0] * (photos * beams), [END] * (photos * beams)
        next_scores = torch.full_like(scores, -torch.inf)
        for photo in sorted(open_photos):
            ranked = [
                (value, *divmod(place, totals.shape[-1]))
                for value, place in zip(values[photo].tolist(), places[photo].tolist(), strict=True)
            ]
            for value, beam, token in ranked[:beams]:
                if token == END or length == max_new_tokens:
                    ids = answers[photo][beam] + [token] * (token != END)
                    complete[photo] = sorted([*complete[photo], (value / length, ids)], reverse=True)[:beams]
            going_on = [candidate for candidate in ranked if candidate[2] != END][:beams]
            full = len(complete[photo]) == beams
            if full and going_on[0][0] / length <= complete[photo][-1][0]:
                open_photos.discard(photo)
                continue
            answers[photo] = [answers[photo][beam] + [token] for _, beam, token in going_on]
            for slot, (value, beam, token) in enumerate(going_on):
                next_scores[photo, slot] = value
                rows[photo * beams + slot], tokens[photo * beams + slot] = photo * beams + beam, token
        if not open_photos:
            break
        order = torch.tensor(rows, device=logits.device)
        cache, scores = [(k[order], v[order]) for k, v in cache], next_scores
        logits, cache = step(model, embedding, torch.tensor(tokens, device=logits.device), cache)
    return [best[0][1] for best in complete]


def prefill(model: Glimpse, image_embeds: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor, Cache]:
    """:return: the embedding matrix, the logits of the first token [photos, vocabulary], and the keys and values"""
    embedding = model.dec.emb.matrix()
    ids = F.pad(prompt, (0, 1), value=ASSISTANT)
    embeds = torch.cat((model.prefix(image_embeds, embedding), F.embedding(ids, embedding)), 1)
    length = embeds.shape[1]
    positions = torch.arange(length, device=embeds.device).expand(embeds.shape[0], -1)
    mask = torch.ones(length, length, dtype=torch.bool, device=embeds.device).tril()
    hidden, cache = model.dec(embeds, positions, mask)
    return embedding, model.dec.emb.product(hidden[:, -1], embedding), cache


def step(model: Glimpse, embedding: Tensor, tokens: Tensor, cache: Cache) -> tuple[Tensor, Cache]:
    positions = torch.full((tokens.shape[0], 1), cache[0][0].shape[2], device=tokens.device)
    hidden, cache = model.dec(F.embedding(tokens[:, None], embedding), positions, None, cache)
    return model.dec.emb.product(hidden[:, -1], embedding), cache


def copied(cache: Cache, copies: int) -> Cache:
    """Of every sequence so many, one behind the other."""
    return [(k.repeat_interleave(copies, 0), v.repeat_interleave(copies, 0)) for k, v in cache]


def until_end(tokens: list[int]) -> list[int]:
    return tokens[: tokens.index(END)] if END in tokens else tokens
