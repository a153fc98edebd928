"""Views of things, on the images of two pixels of `test_separation_scores`."""

import numpy as np
import pytest

from keras_dtl.evaluation import (
    ViewGenerator,
    copied_view,
    draw_codes,
    identity,
    multi_view_scores,
    view_progress,
)
from keras_dtl.evaluation.view_scores import class_entropy
from tests.evaluation.test_separation_scores import decode, encode, examples, judge


def generate(codes):
    """Return images whose first pixel is the content, and whose second a view about 128."""
    return decode([codes[0], 128 + 60 * np.asarray(codes[1])])


def generate_one_view(codes):
    return generate([codes[0], 0 * np.asarray(codes[1])])


def random():
    return np.random.default_rng(0)


def test_views_that_differ_and_keep_the_thing_score_as_real_ones():
    images, labels = examples()
    contents = encode(images)[0]
    scores = multi_view_scores(
        ViewGenerator(generate, 1), judge, contents, images, labels, random()
    )
    assert scores["agreement"] == scores["ceiling"] == scores["judge"]
    assert scores["agreement"] == {"share": 1.0, "interval": [1.0, 1.0]}
    assert scores["class_entropy"] == pytest.approx(1)
    assert scores["view_diversity"] == pytest.approx(0.8, abs=0.2)
    assert scores["frechet_distance"] < 1000
    assert scores["frechet_distance"] > scores["frechet_distance_of_real"]


def test_one_view_for_all_and_one_thing_for_all_are_seen():
    images, labels = examples()
    contents = encode(images)[0]
    generator = ViewGenerator(generate_one_view, 1)
    scores = multi_view_scores(generator, judge, contents, images, labels, random())
    assert scores["view_diversity"] == scores["view_diversity_of_pixels"] == 0
    progress = view_progress(generator, judge, contents, images, labels)
    assert progress == {"agreement": 1.0, "view_diversity": 0.0}
    one = multi_view_scores(
        ViewGenerator(generate, 1), judge, 0 * contents, images, labels, random()
    )
    assert one["class_entropy"] == 0 and one["agreement"]["share"] == 1


def test_identity_and_copied_views_are_judged_by_the_image():
    images, labels = examples()
    contents = encode(images)[0]
    generator = ViewGenerator(generate, 1)
    assert identity(generator, judge, contents, labels, random())["share"] == 1
    assert identity(generator, judge, contents, 1 - labels, random())["share"] == 0
    read_view = lambda images: (encode(images)[1] - 128) / 60  # noqa: E731
    found = copied_view(generate, read_view, judge, contents, (images, labels), random())
    assert found["error"] == 0 < found["error_of_unchanged"]
    assert found["identity"]["share"] == 1


def test_codes_are_standard_and_entropy_is_relative():
    codes = draw_codes(4000, 2, random())
    assert codes.shape == (4000, 2) and codes.dtype == "float32"
    assert abs(codes.mean()) < 0.05 and codes.std() == pytest.approx(1, abs=0.05)
    assert class_entropy(np.array([0, 1, 0, 1]), 4) == pytest.approx(0.5)
