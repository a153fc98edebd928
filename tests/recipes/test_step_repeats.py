"""One training step of every method, from one state, has one outcome, bit for bit.

Without that no training that was stopped goes on as if it had not been.
"""

import json
import subprocess
import sys

import pytest

from keras_dtl.recipes import RECIPES


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_fifty_steps_from_one_state_are_one_step(name, tmp_path):
    """There were ten outcomes where networks are also called with their weights held fixed."""
    words = [sys.executable, "-m", "tests.recipes.step_repeats", "50", str(tmp_path), name]
    answer = subprocess.run(words, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    found = json.loads(answer.stdout.splitlines()[-1])
    assert found == {"name": name, "outcomes": 1, "differing": [], "moved": True}
