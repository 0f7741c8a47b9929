import dataclasses
from pathlib import Path

import pytest

from train.config import DEFAULT_CONFIG, read_config


def test_a_file_says_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "more.toml"
    path.write_text("seed = 3\n[batch]\nphotos = 5\n")
    whole = read_config(DEFAULT_CONFIG)
    batch = dataclasses.replace(whole.batch, photos=5)
    assert read_config(path) == dataclasses.replace(whole, seed=3, batch=batch)


@pytest.mark.parametrize("text", ["sed = 3", "[batch]\nphoto = 5", "[bach]\nphotos = 5"])
def test_an_unknown_name_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "more.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match="unknown: .*(sed|photo|bach)"):
        read_config(path)
