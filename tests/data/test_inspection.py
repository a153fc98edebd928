"""What `keras-dtl check` says, and that a training is refused by the same words."""

import numpy as np
import pytest
from PIL import Image

from keras_dtl.cli.__main__ import main
from keras_dtl.data import load
from keras_dtl.data.inspection import describe
from keras_dtl.images import write_image
from keras_dtl.recipes import RECIPES


def write(path, size=(6, 8), value=0):
    write_image(path, np.full((*size, 3), value, "uint8"))


@pytest.fixture
def pets(tmp_path):
    for name in ("cat", "dog"):
        for index in range(5):
            write(tmp_path / name / f"{index}.png", (6, 8 + index))
    (tmp_path / "cat" / "old.tga").write_bytes(b"")
    return tmp_path


def test_class_folders_are_described_as_they_are_loaded(pets):
    lines = describe(str(pets), thorough=True)
    assert lines[1:5] == [
        "2 classes: cat, dog",
        "train: 8 images (cat 4, dog 4)",
        "test: 2 images (cat 1, dog 1)",
        "sizes: 5 sizes, 8x6 to 12x6 (width x height)",
    ]
    assert "left out: 1 (pictures of the format TGA are not read)" in lines[5]
    counts = [len(load(f"folder:{pets}", split, image_size=4)) for split in ("train", "test")]
    assert counts == [8, 2]


def test_two_domains_and_pairs_are_told_apart(tmp_path):
    for side in "AB":
        for index in range(5):
            write(tmp_path / "pairs" / side / f"{index}.png")
            write(tmp_path / "domains" / f"train{side}" / f"{side}{index}.png")
            write(tmp_path / "domains" / f"test{side}" / f"{side}{index}.png")
    pairs = describe(str(tmp_path / "pairs"))
    assert pairs[1:] == ["train: 4 pairs, in two folders", "test: 1 pairs, in two folders"]
    domains = describe(str(tmp_path / "domains"))
    assert "two domains, A and B" in domains[0]
    assert domains.count("train: 5 images without labels") == 2


def test_masks_are_described_with_their_void(tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
    write(tmp_path / "images" / "0.png", (4, 10))
    mask = np.tile(np.array([0] * 5 + [1] * 4 + [255], "uint8"), (4, 1))
    Image.fromarray(mask).save(tmp_path / "masks" / "0.png")
    lines = describe(str(tmp_path), thorough=True)
    assert lines[1:3] == ["2 classes: 0, 1", "train: 1 images with masks"]
    assert "void: 10.0% of the pixels" in lines
    assert any(line.startswith("no split test:") for line in lines)
    Image.fromarray(np.full_like(mask, 255)).save(tmp_path / "masks" / "0.png")
    with pytest.raises(ValueError, match="are 255, which would be void"):
        describe(str(tmp_path), thorough=True)


def test_archives_names_and_motion_are_described(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((10, 4, 4), "uint8"), y=np.arange(10) % 2)
    lines = describe(str(tmp_path / "a.npz"))
    assert lines[1:3] == ["2 classes: 0, 1", "train: 8 images (0 4, 1 4)"]
    assert describe("digits")[2].startswith("train: 1438 images")
    (tmp_path / "walk").mkdir()
    (tmp_path / "walk" / "a.bvh").write_text("no motion")
    assert "1 BVH files" in describe(str(tmp_path / "walk"))[1]


def test_what_is_refused_is_refused_in_the_words_of_training(pets, capsys):
    write(pets / "train" / "cat" / "0.png")
    assert main(["check", str(pets)]) == 2
    checked = capsys.readouterr().err
    recipe = RECIPES["fine-tuning"](target=f"folder:{pets}")
    for refuse in (recipe.data_lines, recipe.load_data):
        with pytest.raises(ValueError, match="train, by its name a split") as error:
            refuse()
        assert str(error.value) in checked


def test_a_training_tells_what_check_tells(pets, capsys):
    lines = RECIPES["dann"](source=f"folder:{pets}", target="digits").data_lines()
    assert main(["check", f"folder:{pets}"]) == 0
    assert set(lines) <= set(capsys.readouterr().out.splitlines())
    assert len(lines) >= 4
