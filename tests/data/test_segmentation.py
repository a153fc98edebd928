"""Pairs of images and masks, and everything that may be wrong with them."""

import numpy as np
import pytest
from PIL import Image

from keras_dtl.data.segmentation import VOID, SegmentedImages, load_segmentation, palette
from keras_dtl.images import write_image

CLASSES = "id,name,r,g,b\n0,sky,10,20,30\n1,road,40,50,60\n2,unlabelled,0,0,0\n"


@pytest.fixture
def folder(tmp_path):
    """Two images of 4x6 pixels with masks of the classes 0, 1 and void, 2."""
    for index in range(2):
        write_image(tmp_path / f"images/{index}.jpg", np.full((4, 6, 3), 50, "uint8"))
        mask = np.repeat([[0, 0, 1, 1, 2, 2]], 4, 0).astype("uint8")
        write_mask(tmp_path / f"masks/{index}.png", mask)
    (tmp_path / "classes.csv").write_text(CLASSES)
    return tmp_path


def write_mask(path, mask):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(mask).save(path)


def test_images_come_with_classes_colours_and_void(folder):
    examples = load_segmentation(folder)
    assert examples.classes == ("sky", "road")
    assert examples.colors.tolist() == [[10, 20, 30], [40, 50, 60]]
    assert examples.labels[1, 0].tolist() == [0, 0, 1, 1, VOID, VOID]
    assert examples.arrays()[1].dtype == "int32"
    assert examples.without_labels().subset([1]).labels is None


def test_masks_are_resized_to_the_nearest_class(folder):
    examples = load_segmentation(folder, size=(8, 3))
    assert examples.image_shape == (8, 3, 3)
    assert examples.labels[0, 0].tolist() == [0, 1, VOID]


def test_without_names_the_numbers_are_the_classes(folder):
    (folder / "classes.csv").unlink()
    examples = load_segmentation(folder)
    assert examples.classes == ("0", "1", "2")
    assert len({tuple(color) for color in palette(40)}) == 40


def test_listed_frames_are_chosen_by_split_and_sequence(folder):
    rows = ["split,image,label,sequence", "train,images/0.jpg,masks/0.png,dusk"]
    rows += ["train,images/1.jpg,masks/1.png,day", "test,images/1.jpg,masks/1.png,day"]
    (folder / "frames.csv").write_text("\n".join(rows))
    assert len(load_segmentation(folder)) == 2
    assert len(load_segmentation(folder, sequences=("dusk",))) == 1
    with pytest.raises(ValueError, match=r"no sequence night. There are: day, dusk"):
        load_segmentation(folder, sequences=("night",))


def larger_mask(folder):
    write_mask(folder / "masks/0.png", np.zeros((5, 6), "uint8"))


def colored_mask(folder):
    write_image(folder / "masks/0.png", np.zeros((4, 6, 3), "uint8"))


def unknown_number(folder):
    write_mask(folder / "masks/0.png", np.full((4, 6), 9, "uint8"))


def other_size(folder):
    write_image(folder / "images/0.jpg", np.zeros((5, 6, 3), "uint8"))
    larger_mask(folder)


@pytest.mark.parametrize(
    ("harm", "error", "message"),
    [
        (larger_mask, ValueError, "4x6 pixels and its mask"),
        (unknown_number, ValueError, "holds the numbers 9"),
        (colored_mask, ValueError, "mode RGB"),
        (other_size, ValueError, "--image-size"),
        (lambda f: (f / "masks/0.png").unlink(), FileNotFoundError, "no mask"),
        (lambda f: (f / "masks/0.png").write_bytes(b""), ValueError, "cannot be read"),
        (lambda f: (f / "classes.csv").write_text("id,name\n0,a\n"), ValueError, "id,name,r,g,b"),
    ],
)
def test_bad_folders_are_told(harm, error, message, folder):
    harm(folder)
    with pytest.raises(error, match=message):
        load_segmentation(folder)


def test_missing_folders_are_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        load_segmentation(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="no folder images"):
        load_segmentation(tmp_path)


def test_labels_beyond_the_classes_are_refused():
    with pytest.raises(ValueError, match="Received: \\[2\\]"):
        SegmentedImages(np.zeros((1, 2, 2, 3), "uint8"), np.full((1, 2, 2), 2, "uint8"), ("a", "b"))


@pytest.mark.data
def test_camvid_is_day_and_dusk(data_folder):
    dusk = load_segmentation(data_folder / "camvid", sequences=("0001TP",))
    assert len(dusk) == 62
    assert (len(dusk.classes), dusk.image_shape) == (11, (180, 240, 3))
