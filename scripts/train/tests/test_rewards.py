import torch
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider

from train.losses import leave_one_out
from train.rewards import END_WORD, BleuReward, CaptionReward, CiderReward, Rewarder

REFERENCES = [
    ["A brown dog runs through deep snow.", "A dog is running in the snow."],
    ["Two boys play with a red ball.", "Two children kick a ball on the grass."],
    ["A man rides a bike.", "A man in blue is riding his bike down a hill."],
]
CAPTIONS = ["A dog runs in the snow.", "Two boys kick a red ball.", "A a a man rides a horse down the hill."]


def test_rewards_are_pycocoevalcaps_cider() -> None:
    def worded(captions: list[str]) -> list[str]:
        return [caption.lower().replace(".", f" {END_WORD}") for caption in captions]

    theirs = {i: worded(captions) for i, captions in enumerate(REFERENCES)}
    _, expected = Cider().compute_score(theirs, {i: worded([caption]) for i, caption in enumerate(CAPTIONS)})
    reward = CiderReward(REFERENCES)
    ours = [reward(photo, caption) for photo, caption in enumerate(CAPTIONS)]
    torch.testing.assert_close(torch.tensor(ours), torch.tensor(expected, dtype=torch.float32))


def test_a_caption_that_was_cut_misses_its_end() -> None:
    reward = CiderReward(REFERENCES)
    assert reward(0, "A dog is running in the snow") < reward(0, "A dog is running in the snow.")


def test_rewards_are_the_mean_of_pycocoevalcaps_bleu() -> None:
    reward = BleuReward(REFERENCES)
    for photo, caption in enumerate(CAPTIONS):
        theirs = {0: [other.lower().replace(".", "") for other in REFERENCES[photo]]}
        orders, _ = Bleu(4).compute_score(theirs, {0: [caption.lower().replace(".", "")]}, verbose=0)
        assert abs(reward(photo, caption) - sum(orders) / 4) < 1e-6


def test_bleu_is_weighed_beside_cider() -> None:
    cider, bleu = CiderReward(REFERENCES)(0, CAPTIONS[0]), BleuReward(REFERENCES)(0, CAPTIONS[0])
    assert CaptionReward(REFERENCES, 0.5)(0, CAPTIONS[0]) == cider + 0.5 * bleu


def test_advantages_are_against_the_others() -> None:
    assert leave_one_out(torch.tensor([[3.0, 1.0, 2.0]])).tolist() == [[1.5, -1.5, 0.0]]


def test_processes_of_their_own_reward_alike() -> None:
    reward = CaptionReward(REFERENCES, bleu_weight=1)
    captions = [(photo, caption) for photo in range(len(REFERENCES)) for caption in CAPTIONS]
    alone = Rewarder(reward, workers=0)(captions)
    assert Rewarder(reward, workers=2)(captions) == alone == [reward(*each) for each in captions]
