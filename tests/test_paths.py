"""Paths and names of the repository that its pages and docstrings mention exist."""

import importlib
import re
from pathlib import Path

import pytest

from tests.snippets import pages

ROOT = Path(__file__).parents[1]
PAGES = tuple(path.relative_to(ROOT).as_posix() for path in pages())
SOURCES = ("keras_dtl", "scripts", "tests")
BENCHMARKS = ROOT / "scripts" / "benchmarks"
BY_RUNS = ("exported/", "runs/")
"""Folders that hold what a run wrote."""
OF_RUNS = {
    *("settings.json", "history.json", "scores.json", "failures.json"),
    "report.json",
    *("manifest.json", "open_inference.json"),
}
"""Files that a run, a conversion and an artifact hold."""
ROOM = re.compile(r"(?<![\w./~-])(?:scripts|keras_dtl|tests|docs|findings)/[\w./-]*\w")


def words_of(text):
    """Return the words of inline code, not those of whole blocks of it.

    A name alone is a word only with the suffix of a file.
    """
    return set(" ".join(re.findall(r"`([^`\n]+)`", without_blocks(text))).split())


def links_of(text):
    """Return the targets of links to files, without anchors."""
    found = re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", without_blocks(text))
    return {target for target in found if target and ":" not in target}


def without_blocks(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)


def exists(word):
    """Return whether a word is no path of the repository, or one that is there."""
    if word.startswith(BY_RUNS) or word in OF_RUNS:
        return True
    if "/" not in word and word.endswith((".py", ".json")):
        return any((folder / word).exists() for folder in (BENCHMARKS, BENCHMARKS / "results"))
    return not (ROOT / word.partition("/")[0]).exists() or (ROOT / word).exists()


@pytest.mark.parametrize("page", PAGES)
def test_paths_on_a_page_exist(page):
    words = words_of((ROOT / page).read_text(encoding="utf-8"))
    assert not {word for word in words if not exists(word)}


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_to_files(page):
    links = links_of((ROOT / page).read_text(encoding="utf-8"))
    assert not {link for link in links if not ((ROOT / page).parent / link).is_file()}


def test_a_path_that_is_not_there_is_found():
    text = "`keras_dtl/methods/dann.py` and `python scripts/train.py --x`, `runs/a`"
    text += "\n```sh\npython scripts/none.py\n```\n`nothing.json`, `digits.py`, `PATH/CLASS`"
    missing = {word for word in words_of(text) if not exists(word)}
    assert missing == {"keras_dtl/methods/dann.py", "nothing.json"}


def test_links_are_read_without_anchors_and_addresses():
    text = "[a](b/c.md#d), ![e](../f.png), [g](#h), [i](https://j.k)\n```\n[l](m.md)\n```"
    assert links_of(text) == {"b/c.md", "../f.png"}


@pytest.mark.parametrize("page", PAGES)
def test_dotted_names_on_a_page_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for name in set(re.findall(r"(?<![\w./])keras_dtl(?:\.[A-Za-z_]\w*)+(?!\w*/)", text)):
        room, *path = name.split(".")
        found = importlib.import_module(room)
        for part in path:
            room = f"{room}.{part}"
            found = getattr(found, part, None) or importlib.import_module(room)


def test_paths_in_sources_exist():
    missing = {
        (str(path.relative_to(ROOT)), mention)
        for folder in SOURCES
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(__file__)
        for mention in ROOM.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / mention).exists()
    }
    assert not missing


def test_tests_mirror_the_package():
    """A folder of tests for each room of the package, and none for a room that is not there."""
    tested = {path.parent.relative_to(ROOT / "tests") for path in ROOT.glob("tests/*/**/test_*.py")}
    rooms = {
        path.parent.relative_to(ROOT / "keras_dtl") for path in ROOT.glob("keras_dtl/*/**/*.py")
    }
    assert tested - {Path("benchmarks")} <= rooms
    assert rooms - {Path("evaluation/figures")} <= tested  # with the rest of evaluation
