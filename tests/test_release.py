"""What a release holds: one version everywhere, valid metadata, a wheel of the package alone."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from keras_dtl.version import __version__

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
    modules = {name for name in names if name.endswith(".py")}
    assert modules == {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "keras_dtl").rglob("*.py")
    }
    check = [sys.executable, "-m", "twine", "check", "--strict", wheel, source]
    subprocess.run(check, check=True, capture_output=True, env={**os.environ, "NO_COLOR": "1"})
