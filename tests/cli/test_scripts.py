"""scripts/*.py are the verbs of the command, for a checkout."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_dtl.cli.__main__ import VERBS

SCRIPTS = Path(__file__).parents[2] / "scripts"
FILES = sorted(SCRIPTS.glob("*.py"))


def test_there_is_one_for_each_verb_that_is_no_show():
    assert {path.stem for path in FILES} == set(VERBS) - {"recipes", "demo"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_starts_the_verb_of_its_name(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    expected = f'''
import sys
from keras_dtl.cli.__main__ import main
sys.exit(main(["{path.stem}", *sys.argv[1:]]))
'''
    assert ast.get_docstring(tree) == f"`keras-dtl {path.stem}` from a checkout."
    assert [ast.dump(node) for node in tree.body[1:]] == [
        ast.dump(node) for node in ast.parse(expected).body
    ]


def test_convert_runs_from_a_checkout(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS.parent)}
    command = [sys.executable, str(SCRIPTS / "convert.py"), "--help"]
    answer = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment, cwd=tmp_path
    )
    assert "keras-dtl convert" in answer.stdout and "ARTIFACT" in answer.stdout
