"""docs/formats.md says what the tables of the code say."""

import re
from pathlib import Path

import pytest

from keras_dtl.data.layouts import SPLIT_NAMES
from keras_dtl.data.mask_folders import MASK_ENDINGS
from keras_dtl.data.masks import GREY_STEP, VOID_LIMIT
from keras_dtl.images.formats import DECODERS, ENCODERS, UNREAD_SUFFIXES

PAGE = (Path(__file__).parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")


def rows(header):
    """Return the cells of a table by its first column."""
    lines = PAGE[PAGE.index(f"| {header} |") :].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells}


def test_formats_are_those_of_the_tables():
    table = rows("Format")
    assert set(table) == set(DECODERS) | set(ENCODERS)
    for name, (suffixes, read, written, alpha) in table.items():
        row = DECODERS[name]
        assert tuple(suffixes.split()) == row.suffixes
        assert read == ("with the extra `heif`" if row.image_file[0] == "pillow_heif" else "yes")
        encoder = ENCODERS.get(name)
        assert written == ("yes" if encoder else "no")
        assert alpha == ("yes" if encoder and encoder.alpha else "no")


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_what_is_written_is_read(name):
    assert ENCODERS[name].suffixes == DECODERS[name].suffixes


def test_suffixes_that_are_not_read_are_listed():
    block = re.search(r"one\nof the suffixes\n\n((?:    .*\n)+)", PAGE)[1]
    assert set(block.split()) == UNREAD_SUFFIXES


def test_splits_bear_the_names_that_are_told():
    assert {role: tuple(names[0].split(", ")) for role, names in rows("Split").items()} == (
        SPLIT_NAMES
    )


def test_limits_of_masks_are_those_of_the_code():
    assert f"above {VOID_LIMIT:.0%}".replace("%", " %") in PAGE
    assert f"all {GREY_STEP} or more apart" in PAGE
    assert all(f"`{ending}`" in PAGE for ending in MASK_ENDINGS)
