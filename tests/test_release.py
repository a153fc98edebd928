"""What a release holds: one version everywhere, valid metadata, a wheel of the package alone."""

import configparser
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from keras_dtl.version import __version__
from tests.snippets import pages

ROOT = Path(__file__).parent.parent


def test_version_is_the_newest_of_the_changelog_and_of_the_citation():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    version, date = re.findall(r"^## ([\d.]+) - (\d{4}-\d\d-\d\d)$", changelog, re.MULTILINE)[0]
    assert version == __version__
    assert f"\nversion: {version}\ndate-released: {date}\n" in citation


@pytest.mark.slow
def test_wheel_holds_the_package_and_passes_the_index(tmp_path):
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    (source,) = tmp_path.glob("*.tar.gz")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "keras_dtl",
        f"keras_dtl-{__version__}.dist-info",
    }
    assert {"keras_dtl/py.typed", "keras_dtl/__init__.pyi", "keras_dtl/cli/train.py"} <= set(names)
    shipped = "exported/starry-night"
    parts = ("README.md", "manifest.json", "1/model.onnx")
    assert {"/".join(("keras_dtl", shipped, part)) for part in parts} <= set(names)
    modules = {name for name in names if name.endswith(".py")}
    assert modules == {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "keras_dtl").rglob("*.py")
    }
    with tarfile.open(source) as archive:
        sources = {name.partition("/")[2] for name in archive.getnames()}
    assert sources >= {
        *("Makefile", "CHANGELOG.md", "CONTRIBUTING.md", "Dockerfile", "mkdocs.yml"),
        *("docs/guide/adapt.md", "docs/tutorials/adapt.py", "exported/README.md"),
        *(f"{shipped}/{part}" for part in parts),
        *("scripts/benchmarks/tables.py", "scripts/benchmarks/results/digits.json"),
    }
    assert not {name for name in sources if name.startswith(("tests/", "runs/", "build/"))}
    check = [sys.executable, "-m", "twine", "check", "--strict", wheel, source]
    subprocess.run(check, check=True, capture_output=True, env={**os.environ, "NO_COLOR": "1"})


def test_pages_name_extras_that_exist():
    """`pip install -e ".[A,B]"` and its like, on every page."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    text = "".join(path.read_text(encoding="utf-8") for path in pages())
    named = re.findall(r"""pip install[^\n]*\[([a-z,]+)\]""", text)
    assert named
    assert {extra for group in named for extra in group.split(",")} <= set(
        settings["options.extras_require"]
    )


def test_readme_stays_a_door():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150


def test_container_installs_what_its_file_names():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    named = {name for line in re.findall(r"^COPY (.+) \S+$", text, re.M) for name in line.split()}
    assert {"setup.cfg", "setup.py", "README.md", "keras_dtl"} <= named  # what setup.cfg reads
    assert not {name for name in named if not (ROOT / name).exists()}
    assert "[cpu]" in text and "tensorflow" not in text.lower().replace("without tensorflow", "")
