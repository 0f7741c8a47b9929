"""What training minimises."""

from torch import Tensor
from torch.nn import functional as F


def imitation(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Cross entropy with label smoothing (Szegedy et al., arXiv:1512.00567), the mean over people's tokens."""
    return F.cross_entropy(logits.float(), targets, label_smoothing=smoothing)


def reinforcement(logits: Tensor, targets: Tensor, advantages: Tensor) -> Tensor:
    """
    Sampled captions that are better than the photo's others become likelier (self-critical training: Rennie et al.,
    arXiv:1612.00563), the mean over their tokens.
    """
    return (advantages * F.cross_entropy(logits.float(), targets, reduction="none")).mean()


def distillation(logits: Tensor, teacher: Tensor) -> Tensor:
    """How far the encoder's classification is from ImageNet's (Hinton et al., arXiv:1503.02531), a photo."""
    return F.kl_div(logits.log_softmax(1), teacher.softmax(1), reduction="batchmean")


def agreement(logits: Tensor, taught: Tensor) -> Tensor:
    """
    How far a model is from its teachers (Kullback-Leibler, in nats), the mean over tokens.

    :param taught: their probabilities, [tokens, vocabulary]
    """
    return F.kl_div(logits.float().log_softmax(1), taught, reduction="batchmean")


def leave_one_out(rewards: Tensor) -> Tensor:
    """
    :param rewards: [photos, samples]
    :return: each against the mean of the photo's others
    """
    samples = rewards.shape[1]
    others = (rewards.sum(1, keepdim=True) - rewards) / (samples - 1)
    return rewards - others
