"""Tables beside a user's files, and files that a name does not tell apart."""

import numpy as np
import pytest
from PIL import Image

from keras_dtl.data.segmentation import load_segmentation
from keras_dtl.data.tables import read_table
from keras_dtl.images import write_image

FRAMES = "image,label,split,sequence\nimages/ü.png,masks/ü.png,train,x\n"


@pytest.fixture
def folder(tmp_path):
    """A photo with its mask of the classes 0, 1 and 2."""
    write_image(tmp_path / "images/ü.png", np.zeros((6, 6, 3), "uint8"))
    (tmp_path / "masks").mkdir()
    mask = np.repeat([[0, 0, 1, 1, 2, 2]], 6, 0).astype("uint8")
    Image.fromarray(mask).save(tmp_path / "masks/ü.png")
    return tmp_path


def test_the_mark_of_spreadsheets_is_no_part_of_the_first_name(folder):
    (folder / "frames.csv").write_text(FRAMES, encoding="utf-8-sig")
    assert len(load_segmentation(folder)) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"image,label,split\na,b,train\n", "lacks the columns sequence. Its first row is"),
        (FRAMES.replace(",", ";").encode(), "with commas between them"),
        (FRAMES.encode("latin1"), "frames.csv is no text in UTF-8"),
        (b"image,label,split,sequence\na.png,b.png,train\n", "row of a.png is too short"),
        (b"", "lacks the columns image, label, sequence, split"),
    ],
)
def test_tables_that_cannot_be_read_are_told_by_name(data, message, folder):
    """They were a KeyError or a TypeError, and a UnicodeDecodeError without the file's name."""
    (folder / "frames.csv").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        load_segmentation(folder)


def test_cells_may_hold_commas(tmp_path):
    (tmp_path / "a.csv").write_text('file,style\n"a,b",c\n')
    assert read_table(tmp_path / "a.csv", ("style",)) == [{"file": "a,b", "style": "c"}]


def test_two_photos_of_one_name_are_not_one(folder):
    """The first of them was left out without a word."""
    write_image(folder / "images/ü.jpg", np.full((6, 6, 3), 200, "uint8"))
    with pytest.raises(ValueError, match=r"ü.jpg and .*ü.png differ in nothing but their suffix"):
        load_segmentation(folder)
