"""Measures that too few test images do not allow are left out, and said before the training."""

import numpy as np

from keras_dtl.data import load_domain
from keras_dtl.images import write_image
from keras_dtl.recipes import RECIPES


def test_a_single_test_image_is_said_and_headlines_do_without(caplog):
    recipe = RECIPES["pix2pix"](keep="last")
    one = np.zeros((1, 8, 8, 3), "uint8")
    assert len(recipe.divide(None, one, one).test.a) == 1
    assert "FID and KID are left out: 1 and 1 test image(s)" in caplog.text
    words = {"absolute error (levels of 255)": 3.0}
    assert recipe.headline({"absolute_error": 3.0, "test_images": 1}) == words
    scores = {"a_to_b": {"kid": 0.5}, "b_to_a": {}, "cycle_error": 2.0, "test_images": 500}
    headline = RECIPES["cyclegan"](features="mobilenet_v2:PATH").headline(scores)
    assert headline == {"KID a_to_b": 0.5, "cycle error (levels of 255)": 2.0}


def test_enough_test_images_are_no_word(caplog):
    two = np.zeros((2, 8, 8, 3), "uint8")
    RECIPES["pix2pix"](keep="last").divide(None, two, two)
    assert not caplog.text
    many = np.zeros((100, 8, 8, 3), "uint8")
    RECIPES["pix2pix"]().divide(None, many, many)
    assert not caplog.text
    RECIPES["pix2pix"]().divide(None, many, many[:98])
    assert "KID of 49 images, which is mostly chance" in caplog.text


def test_what_is_held_out_of_a_domain_without_split_is_said(tmp_path):
    for index in range(20):
        write_image(tmp_path / f"{index}.png", np.zeros((8, 8, 3), "uint8"))
    recipe = RECIPES["cyclegan"](source=f"folder:{tmp_path}", target="digits")
    lines = recipe.data_lines()
    assert lines[-1].endswith("here one image in 10, by name, is for testing alone")
    assert not any(line.startswith("no split test") for line in lines)
    lines = RECIPES["fast-style"](photos=recipe.source).data_lines()
    assert lines[-1].endswith("8 photos, evenly spread, are for scoring alone")
    assert not any(line.startswith("no split test") for line in lines)
    train, test = load_domain(recipe.source, 8, 8, side="a")
    assert (len(train), len(test)) == (18, 2)
