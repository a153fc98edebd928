"""Pairs of images and masks, and everything that may be wrong with them."""

import numpy as np
import pytest
from PIL import Image

from keras_dtl.data.segmentation import VOID, SegmentedImages, load_segmentation, palette
from keras_dtl.images import turned_upright, write_image

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
    (folder / "classes.csv").unlink()
    write_image(folder / "masks/0.png", np.full((4, 6, 3), (9, 0, 0), "uint8"))


def unlisted_color(folder):
    write_image(folder / "masks/0.png", np.full((4, 6, 3), (9, 0, 0), "uint8"))


def lossy_mask(folder):
    (folder / "masks/0.png").unlink()
    write_image(folder / "masks/0.jpg", np.zeros((4, 6, 3), "uint8"))


def deep_mask(folder):
    write_mask(folder / "masks/0.png", np.full((4, 6), 1000, "uint16"))


def two_masks(folder):
    write_mask(folder / "masks/0.tif", np.zeros((4, 6), "uint8"))


def unknown_number(folder):
    write_mask(folder / "masks/0.png", np.full((4, 6), 9, "uint8"))


def other_size(folder):
    write_image(folder / "images/0.jpg", np.zeros((5, 6, 3), "uint8"))
    larger_mask(folder)


def rows_of(*rows):
    header = "id,name,r,g,b" if "," in rows[0] else "id;name;r;g;b"
    return lambda folder: (folder / "classes.csv").write_text("\n".join([header, *rows]))


@pytest.mark.parametrize(
    ("harm", "error", "message"),
    [
        (larger_mask, ValueError, "4x6 pixels and its mask"),
        (unknown_number, ValueError, "holds the numbers 9"),
        (colored_mask, ValueError, "mode RGB"),
        (unlisted_color, ValueError, r"1 colour\(s\) that classes.csv does not.*\(9, 0, 0\)"),
        (lossy_mask, ValueError, "is a JPEG file, whose compression changes class numbers"),
        (deep_mask, ValueError, "class numbers from 0 to 255"),
        (two_masks, ValueError, "0.png and .*0.tif are masks of one image"),
        (other_size, ValueError, "--image-size"),
        (rows_of("0,a,0,0,0", "0,b,1,1,1"), ValueError, "lists 0 twice"),
        (rows_of("0,a,0,0,0", "1,a,1,1,1"), ValueError, "lists a twice"),
        (rows_of("0,a,0,0,0", "300,b,1,1,1"), ValueError, "holds 300; ids and colours are"),
        (rows_of("0,a,0,0,0", "1,b,1,1,-1"), ValueError, "holds -1; ids and colours are"),
        (rows_of("0;a;0;0;0"), ValueError, "id,name,r,g,b with whole numbers.*first row"),
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


def write_pair(root, mask, photo=None, exif=None, mask_exif=None, name="0"):
    """Write a photo, grey by default, and the Pillow image of its mask."""
    height, width = mask.size[::-1]
    photo = np.full((height, width, 3), 50, "uint8") if photo is None else photo
    for kind in ("images", "masks"):
        (root / kind).mkdir(parents=True, exist_ok=True)
    Image.fromarray(photo).save(root / f"images/{name}.png", exif=exif or Image.Exif())
    mask.save(root / f"masks/{name}.png", exif=mask_exif or Image.Exif())


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


OBJECT = np.zeros((6, 8), "uint8")
OBJECT[1:4, 2:5] = 1
HALVES = "id,name,r,g,b\n0,ground,0,0,0\n{},object,128,0,64\n"


@pytest.mark.parametrize(
    ("mask", "classes"),
    [
        (Image.fromarray(OBJECT == 1), None),
        (Image.fromarray(OBJECT == 1), HALVES.format(1)),
        (Image.fromarray(OBJECT == 1), HALVES.format(255).replace("128,0,64", "255,255,255")),
        (Image.fromarray(OBJECT * 255), HALVES.format(255)),
        (Image.fromarray(OBJECT.astype("uint16")), None),
        (Image.fromarray(OBJECT).convert("LA"), None),
        (Image.fromarray(OBJECT[..., None] * np.array([128, 0, 64], "uint8")), HALVES.format(7)),
        (Image.fromarray(np.repeat(OBJECT[..., None], 3, -1)), None),
    ],
    ids=["bit", "bit named", "bit 255", "255 named", "16 bit", "grey alpha", "colours", "grey RGB"],
)
def test_every_code_of_two_classes_is_read_alike(mask, classes, tmp_path):
    write_pair(tmp_path, mask)
    if classes:
        (tmp_path / "classes.csv").write_text(classes)
    examples = load_segmentation(tmp_path)
    np.testing.assert_array_equal(examples.labels[0], OBJECT)
    assert len(examples.classes) == 2


def test_colours_of_a_palette_decide_where_its_numbers_are_unknown(tmp_path):
    mask = Image.fromarray(OBJECT + 3).convert("P")
    mask.putpalette([1, 1, 1] * 3 + [0, 0, 0, 128, 0, 64])
    write_pair(tmp_path, mask)
    (tmp_path / "classes.csv").write_text(HALVES.format(1))
    np.testing.assert_array_equal(load_segmentation(tmp_path).labels[0], OBJECT)


def palette_mask(numbers, colors):
    mask = Image.fromarray(numbers).convert("P")
    mask.putpalette([channel for color in colors for channel in color])
    return mask


BLACK, RED = (0, 0, 0), (128, 0, 64)


def test_palettes_that_were_sorted_anew_are_not_taken_for_numbers(tmp_path):
    write_pair(tmp_path, palette_mask(OBJECT, [BLACK, RED]))
    write_pair(tmp_path, palette_mask(1 - OBJECT, [RED, BLACK]), name="1")
    with pytest.raises(ValueError, match="The number 0 has the colour .0, 0, 0. in .*sorted anew"):
        load_segmentation(tmp_path)
    (tmp_path / "classes.csv").write_text(HALVES.format(1))
    with pytest.raises(ValueError, match="1.png shows other classes by its numbers than by the"):
        load_segmentation(tmp_path)
    write_pair(tmp_path, palette_mask(OBJECT, [BLACK, RED]), name="1")
    np.testing.assert_array_equal(load_segmentation(tmp_path).labels, [OBJECT, OBJECT])


def test_classes_of_one_colour_cannot_be_told_by_it(tmp_path):
    write_pair(tmp_path, Image.fromarray(OBJECT[..., None] * np.array(RED, "uint8")))
    (tmp_path / "classes.csv").write_text(HALVES.format(1) + "2,other,128,0,64\n3,far,9,9,9\n")
    with pytest.raises(ValueError, match="several classes the colour .128, 0, 64."):
        load_segmentation(tmp_path)


def test_smoothed_edges_are_no_classes_but_many_classes_are(tmp_path):
    large = np.kron(OBJECT * np.uint8(200), np.ones((8, 8), "uint8"))
    smooth = Image.fromarray(large).resize((30, 40), Image.Resampling.BILINEAR)
    write_pair(tmp_path, smooth)
    with pytest.raises(ValueError, match="nowhere fill a square of 2 x 2 pixels, such as"):
        load_segmentation(tmp_path)
    many = np.kron(np.arange(60, dtype="uint8").reshape(6, 10), np.ones((2, 2), "uint8"))
    write_pair(tmp_path, Image.fromarray(many))
    assert len(load_segmentation(tmp_path).classes) == 60


@pytest.mark.parametrize("levels", [(0, 255), (0, 128, 255), (0, 85, 170, 255)])
def test_grey_levels_are_not_taken_for_void_in_silence(levels, tmp_path):
    mask = np.resize(np.array(levels, "uint8"), (6, 8))
    write_pair(tmp_path, Image.fromarray(mask))
    with pytest.raises(ValueError, match="are 255, which would be void.*name all numbers in class"):
        load_segmentation(tmp_path)
    rows = "".join(f"{level},c{level},0,0,0\n" for level in levels)
    (tmp_path / "classes.csv").write_text("id,name,r,g,b\n" + rows)
    assert load_segmentation(tmp_path).classes == tuple(f"c{level}" for level in levels)
    assert VOID not in load_segmentation(tmp_path).labels


def test_share_of_void_is_said_and_refused_above_the_limit(tmp_path, caplog):
    mask = np.tile(np.array([0, 1, 0, 1, 2, 2, 2, 255], "uint8"), (6, 1))
    write_pair(tmp_path, Image.fromarray(mask))
    assert load_segmentation(tmp_path).classes == ("0", "1", "2")
    assert "12.5 % of the pixels are void (255)" in caplog.text
    mask[:, :3] = 255
    write_pair(tmp_path, Image.fromarray(mask), name="1")
    with pytest.raises(ValueError, match=r"31.2% of the\s+pixels are 255"):
        load_segmentation(tmp_path)


def bright_where(mask):
    return np.repeat(mask[..., None] * np.uint8(250), 3, -1)


@pytest.mark.parametrize(
    ("orientation", "mask_turn", "stored_upright", "said"),
    [
        (6, None, True, ""),  # the shape says that the mask lies as the photo is seen
        (6, None, False, "1 mask(s) turned like their photos"),
        (6, 6, False, ""),
        (3, None, True, "taken to lie as the photo is seen"),
        (3, 3, False, ""),
        (2, 2, False, ""),
    ],
)
def test_turns_of_photo_and_mask_agree(
    orientation, mask_turn, stored_upright, said, tmp_path, caplog
):
    upright = np.array(turned_upright(Image.fromarray(OBJECT), orientation))
    mask = Image.fromarray(upright if stored_upright else OBJECT)
    write_pair(
        tmp_path,
        mask,
        bright_where(OBJECT),
        turned(orientation),
        turned(mask_turn) if mask_turn else None,
    )
    examples = load_segmentation(tmp_path)
    np.testing.assert_array_equal(examples.labels[0] * 250, examples.images[0, ..., 0])
    assert said in caplog.text


@pytest.mark.parametrize("layout", ["{split}/{kind}", "{kind}/{split}"])
def test_split_test_is_never_the_training_set(layout, tmp_path):
    for kind in ("images", "masks"):
        for split, number in (("train", 0), ("valid", 1)):
            path = tmp_path / layout.format(split=split, kind=kind) / "0.png"
            write_image(path, np.full((2, 2, 1), number, "uint8"))
    assert [load_segmentation(tmp_path, split).images.max() for split in ("train", "test")] == [
        0,
        1,
    ]


def test_folder_without_split_has_no_test(folder):
    with pytest.raises(ValueError, match="not split: all of it is for training"):
        load_segmentation(folder, "test")


def test_names_of_masks_may_say_that_they_are_masks(folder, caplog):
    (folder / "masks/0.png").rename(folder / "masks/0_mask.gif.png")
    write_mask(folder / "masks/0_mask.png", np.ones((4, 6), "uint8"))
    assert (load_segmentation(folder).labels[0] == 1).all()
    assert "a mask without image" in caplog.text


@pytest.mark.data
def test_camvid_is_day_and_dusk(data_folder):
    dusk = load_segmentation(data_folder / "camvid", sequences=("0001TP",))
    assert len(dusk) == 62
    assert (len(dusk.classes), dusk.image_shape) == (11, (180, 240, 3))
