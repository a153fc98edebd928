"""Nothing of the folder that a command is run in is imported, by it or by its workers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_dtl.convert import convert_folder
from keras_dtl.images import write_image
from keras_dtl.import_path import command_of, environment, is_command, safe_path
from tests.convert.conftest import colour, write_negative

ROOT = Path(__file__).parent.parent
MODULES = (
    "numpy",
    "PIL",
    "onnxruntime",
    "lazy_loader",
    "tyro",
    "rich",
    "json",
    "random",
    "secrets",
)
MODULES += ("hashlib", "subprocess", "sitecustomize", "usercustomize", "keras")


@pytest.fixture
def place(tmp_path):
    """A folder of photos among which there are files that Python would take for modules."""
    folder = tmp_path / "photos"
    write_image(folder / "a.png", colour("red"))
    for name in MODULES:
        mark = f"open({str(tmp_path / 'executed')!r}, 'a').write({name!r} + ' ')\n"
        (folder / f"{name}.py").write_text(mark)
    write_negative(tmp_path / "negative")
    return folder


def run(place, command, path):
    words = ["../negative", ".", "../out", "--engine", "processes", "--workers", "1"]
    return subprocess.run(
        [*command, *words, "--device", "cpu"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "keras_dtl.cli", "convert"],
        [sys.executable, str(ROOT / "scripts" / "convert.py")],
    ],
    ids=["-m", "script"],
)
def test_no_verb_and_no_worker_imports_from_the_current_folder(place, tmp_path, command):
    answer = run(place, command, str(ROOT))
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "out" / "a.png").exists()
    assert not (tmp_path / "executed").exists(), (tmp_path / "executed").read_text()


def test_workers_import_from_nowhere_but_where_the_package_is_at_home(place, tmp_path, monkeypatch):
    """Whoever put the folder on the path, and whatever PYTHONPATH says."""
    from keras_dtl.convert import load_artifact

    monkeypatch.chdir(place)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", str(place), str(ROOT)]))
    monkeypatch.setattr(sys, "path", ["", str(place), *sys.path])
    artifact = load_artifact("../negative", device="cpu")
    report = convert_folder(artifact, place, tmp_path / "out", engine="processes", workers=1)
    assert report.exit_status == 0
    assert not (tmp_path / "executed").exists(), (tmp_path / "executed").read_text()


def test_the_safe_path_has_no_entry_that_depends_on_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    kept = [entry for entry in sys.path if Path(entry).is_absolute() and Path(entry) != ROOT]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["sub", "", str(ROOT)]))
    relative = ["", ".", "sub", str(tmp_path), str(tmp_path / "sub")]
    monkeypatch.setattr(sys, "path", [*relative, *kept])
    assert safe_path() == kept
    assert environment()["PYTHONPATH"] == str(ROOT)
    assert "-I" in command_of("keras_dtl.convert.engines.worker")


@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        ("-m", True),
        ("/usr/bin/keras-dtl", True),
        (str(ROOT / "scripts" / "train.py"), True),
        ("/home/me/train.py", False),
        ("-c", False),
    ],
)
def test_somebodys_own_program_keeps_its_path(monkeypatch, argument, answer):
    monkeypatch.setattr(sys, "argv", [argument])
    assert is_command() == answer
