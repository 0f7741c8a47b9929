import torch

from train.config import Config
from train.generation import beam_search, generate
from train.model import ASSISTANT, END, Glimpse
from train.packing import Branch, pack

PROMPT = [10, 11]
LONGEST = 8


def drawn(config: Config) -> tuple[Glimpse, torch.Tensor]:
    torch.manual_seed(0)
    model = Glimpse(config).eval()
    for weight in model.dec.parameters():
        if weight.ndim > 1:
            weight.data *= 15  # or every token would be followed by itself
    return model, torch.randn(4, model.image_tokens, config.decoder.hidden)


def logprobs(model: Glimpse, image: torch.Tensor, answer: list[int]) -> torch.Tensor:
    """Of the tokens after the prompt and the answer so far, computed as a whole, without a cache: [vocabulary]"""
    packed = pack([[Branch([*PROMPT, ASSISTANT, *answer], [END])]], 1 + model.image_tokens)
    return model.packed_logits(image[None], packed)[0].log_softmax(-1)


def greedy_without_cache(model: Glimpse, image: torch.Tensor) -> list[int]:
    answer: list[int] = []
    while len(answer) < LONGEST and (token := int(logprobs(model, image, answer).argmax())) != END:
        answer.append(token)
    return answer


def score(model: Glimpse, image: torch.Tensor, answer: list[int]) -> float:
    ended = answer if len(answer) == LONGEST else [*answer, END]
    return sum(float(logprobs(model, image, ended[:i])[token]) for i, token in enumerate(ended)) / len(ended)


@torch.no_grad()
def test_greedy_answers_are_those_without_a_cache(config: Config) -> None:
    model, images = drawn(config)
    answers = generate(model, images, torch.tensor([PROMPT] * 4), max_new_tokens=LONGEST)
    assert answers == [greedy_without_cache(model, image) for image in images]
    assert len(set(map(tuple, answers))) > 1


@torch.no_grad()
def test_one_beam_is_greedy_and_more_find_no_worse(config: Config) -> None:
    model, images = drawn(config)
    prompts = torch.tensor([PROMPT] * 4)
    greedy = generate(model, images, prompts, max_new_tokens=LONGEST)
    assert beam_search(model, images, prompts, 1, LONGEST) == greedy
    found = beam_search(model, images, prompts, 20, LONGEST)
    pairs = [
        (score(model, image, ours), score(model, image, theirs))
        for image, ours, theirs in zip(images, found, greedy, strict=True)
    ]
    assert all(ours > theirs - 1e-4 for ours, theirs in pairs)
    assert any(ours > theirs + 1e-4 for ours, theirs in pairs)
