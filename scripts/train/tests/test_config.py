import dataclasses
from pathlib import Path

import pytest

from train.config import DEFAULT_CONFIG, read_config
from train.errors import UserError


def test_a_file_says_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "more.toml"
    path.write_text("seed = 3\n[trunk]\ndamping = 0.5\n[cross_entropy.batch]\nphotos = 5\n")
    whole = read_config(DEFAULT_CONFIG)
    trunk = dataclasses.replace(whole.trunk, damping=0.5)
    batch = dataclasses.replace(whole.cross_entropy.batch, photos=5)
    stage = dataclasses.replace(whole.cross_entropy, batch=batch)
    assert read_config(path) == dataclasses.replace(whole, seed=3, trunk=trunk, cross_entropy=stage)


@pytest.mark.parametrize("text", ["sed = 3", "[cross_entropy.batch]\nphoto = 5", "[bach]\nphotos = 5"])
def test_an_unknown_name_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "more.toml"
    path.write_text(text)
    with pytest.raises(UserError, match="unknown: .*(sed|photo|bach)"):
        read_config(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[cross_entropy]\nepochs = "three"', "cross_entropy, epochs: a number is needed, not 'three'"),
        ("[cross_entropy]\nlearning_rate = true", "cross_entropy, learning_rate: a number is needed, not True"),
        ("[cross_entropy]\nbatch = 3", "cross_entropy, batch: a table is needed, not 3"),
        ("[cross_entropy.batch]\nphotos = 1.5", "photos: a whole number is needed, not 1.5"),
        ("[seed]\nphotos = 5", "seed: a whole number is needed, not {"),
        ("[vision]\nstages = [[1, 3], [1.5]]", "stages: a list of lists of whole numbers is needed"),
        ("seed == 3", "is no TOML: .*line 1"),
    ],
)
def test_what_cannot_be_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "more.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=f"more.toml.*{message}"):
        read_config(path)
