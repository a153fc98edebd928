"""The tutorials run as scripts, are pages and notebooks, and end in an artifact that is used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "tutorials"
TUTORIALS = sorted(FOLDER.glob("*.py"))


def test_there_are_eight():
    assert len(TUTORIALS) == 8


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_tutorial_begins_with_a_title_and_loads_an_artifact_at_the_end(path):
    text = path.read_text(encoding="utf-8")
    _, first, *cells = text.split("\n# %%")
    assert first.startswith(" [markdown]\n# # ")
    assert "load_artifact(" in "".join(cells[-3:])
    ast.parse(text)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_tutorial_runs(path, tmp_path):
    command = [sys.executable, path]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert answer.stdout.strip()
    assert not list(tmp_path.iterdir())  # what it writes goes to a folder of its own


@pytest.mark.slow
def test_tutorials_are_notebooks():
    jupytext = pytest.importorskip("jupytext", reason="needs the extra [test]")
    for path in TUTORIALS:
        notebook = jupytext.read(path)
        kinds = [cell.cell_type for cell in notebook.cells]
        assert kinds[0] == "markdown" and kinds.count("code") >= 3
