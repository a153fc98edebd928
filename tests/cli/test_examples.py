"""The commands that pages and docstrings show are parsed: their verbs and flags exist."""

import ast
import importlib
import json
import re
import shlex
from pathlib import Path

import pytest
import tyro

from keras_dtl.cli import train
from keras_dtl.cli.__main__ import VERBS, main
from keras_dtl.recipes import RECIPES
from tests.snippets import pages

ROOT = Path(__file__).parents[2]
PAGES = [*pages(), ROOT / "CONTRIBUTING.md"]
FOLDERS = ("keras_dtl", "scripts")
LINE = re.compile(r"^ *(?:\w+=\S+ )*keras-dtl ((?:.*\\\n)*.*)$", re.M)


def texts():
    """Return `{path: text}` of blocks of code on the pages, and of docstrings of modules."""
    found = {}
    for path in PAGES:
        blocks = re.findall(r"^```\w*\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
        found[path] = "\n".join(blocks)
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        found[path] = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return found


def commands():
    """Return `(path, words)` of each command that is shown."""
    return [
        (str(path.relative_to(ROOT)), shlex.split(line.replace("\\\n", " "), comments=True))
        for path, text in texts().items()
        for line in LINE.findall(text)
    ]


@pytest.mark.parametrize(("path", "words"), commands(), ids=lambda value: str(value)[:60])
def test_an_example_is_parsed(path, words, tmp_path, monkeypatch):
    verb, *rest = words
    monkeypatch.chdir(tmp_path)
    begun_run(tmp_path / "runs" / "dann")
    assert verb in VERBS
    module = importlib.import_module(f"keras_dtl.cli.{verb}")
    if hasattr(module, "parse"):
        module.parse(rest, "keras-dtl")
    else:
        tyro.cli(getattr(module, verb.title()), args=rest)


def begun_run(folder):
    """Make what `train --resume RUN` reads."""
    folder.mkdir(parents=True)
    settings = {**RECIPES["dann"](epochs=7, augment="affine").settings(), "artifact": "elsewhere"}
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")


def test_resuming_a_run_takes_its_settings_and_the_flags_that_are_given(tmp_path):
    run = tmp_path / "run"
    begun_run(run)
    recipe = train.parse(["--resume", str(run), "--epochs", "9"], "keras-dtl train")
    assert (recipe.epochs, recipe.augment, recipe.resume) == (9, "affine", True)
    assert (recipe.output, recipe.artifact) == (run, Path("elsewhere"))


def test_settings_of_a_run_make_another_run(tmp_path):
    run = tmp_path / "run"
    begun_run(run)
    file = str(run / "settings.json")
    for words in (["--settings", file, "--seed", "3"], ["dann", f"--settings={file}", "--seed=3"]):
        recipe = train.parse(words, "keras-dtl train")
        assert (recipe.name, recipe.epochs, recipe.augment, recipe.seed) == ("dann", 7, "affine", 3)
        assert (recipe.resume, recipe.output, recipe.artifact) == (False, None, None)


def test_settings_that_do_not_fit_are_told(tmp_path, capsys):
    run = tmp_path / "run"
    begun_run(run)
    assert main(["train", "dan", "--settings", str(run / "settings.json")]) == 2
    assert "holds settings of the recipe dann" in capsys.readouterr().err
    assert main(["train", "dann", "--settings", str(tmp_path / "none.json")]) == 2
    assert "There is no file of settings" in capsys.readouterr().err
    (run / "settings.json").write_text("{", encoding="utf-8")
    assert main(["train", "--settings", str(run / "settings.json")]) == 2
    assert "is not valid JSON" in capsys.readouterr().err
