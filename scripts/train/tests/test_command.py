"""What the user can set right is said in a line."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from train.errors import UserError
from train.goldens import dev_figures

SCRIPTS = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--config", "none.toml"), "error: .*No such file.*none.toml"),
        (("--data", "none"), "error: .*No such file.*none/train"),
        (("--threads", "0"), "argument --threads: invalid positive value: '0'"),
        (("--device", "gpu"), "argument --device: invalid choice: 'gpu'.*cpu"),
    ],
)
def test_a_stage_ends_without_a_traceback(photos: Path, tmp_path: Path, options: tuple[str, str], message: str) -> None:
    command = (sys.executable, "-m", "train.trunk", "--data", photos, "--out", tmp_path / "out", *options)
    ended = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True)
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    assert re.search(message, ended.stderr.splitlines()[-1])


def test_figures_of_a_part_are_no_goldens(tmp_path: Path) -> None:
    evaluation = tmp_path / "evaluation.json"
    evaluation.write_text(json.dumps({"greedy": {"bleu_1": 1, "bleu_4": 1, "cider": 1, "rouge_l": 1}}))
    with pytest.raises(UserError, match="evaluation.json has no yes-no: run the evaluate stage without --parts"):
        dev_figures(evaluation)
