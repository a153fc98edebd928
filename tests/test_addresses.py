"""Where an artifact is looked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_dtl import addresses, convert_folder, load_artifact
from keras_dtl.addresses import find_artifact
from keras_dtl.manifest import ManifestError
from tests.convert.conftest import write_negative

ROOT = Path(__file__).parents[1]


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An empty folder to be in, and one for what comes with the package."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(addresses, "PACKAGED", (tmp_path / "package",))
    monkeypatch.setattr(addresses, "NAMES", ("negative", "other"))
    return tmp_path / "here", tmp_path / "package"


def test_a_name_is_first_a_path_then_published_then_of_the_package(places):
    here, package = places
    write_negative(package / "negative")
    assert find_artifact("negative") == package / "negative"
    write_negative(here / "exported" / "negative")
    assert find_artifact("negative").resolve() == here / "exported" / "negative"
    write_negative(here / "negative")
    assert find_artifact("negative").resolve() == here / "negative"
    assert load_artifact("negative", "cpu").manifest.name == "negative"


def test_of_the_package_come_only_the_names_that_are_listed(places):
    write_negative(places[1] / "unlisted")
    with pytest.raises(ManifestError, match="With the package comes negative, other"):
        find_artifact("unlisted")


def test_a_path_is_taken_as_it_is(places):
    for path in ("a/b", "/none/at/all"):
        assert str(find_artifact(path)) == path


def test_what_is_no_address_is_told():
    with pytest.raises(ManifestError, match="its folder, its name, or hf.* Received: NoneType"):
        load_artifact(None)
    with pytest.raises(ValueError, match="Received: str. Open it first: load_artifact"):
        convert_folder("exported/dann", "a", "b")


@pytest.mark.parametrize("module", ["addresses", "hub"])
def test_it_is_imported_before_conversion_too(module):
    """Each imported the other: it depended on which came first."""
    words = [sys.executable, "-c", f"import keras_dtl.{module}"]
    subprocess.run(words, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
