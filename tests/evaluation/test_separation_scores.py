"""Exchanges of codes on images of two pixels: the first tells the class, the second the style."""

import numpy as np
import pytest

from keras_dtl.evaluation import (
    Autoencoder,
    content_ignored,
    partners,
    swap_progress,
    swap_scores,
)


def examples(count=120, seed=0):
    """Return images `(n, 1, 2, 3)`, whose class is one of two, and their labels."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) // 2 % 2
    pixels = np.stack([200 * labels, random.integers(0, 256, count)], 1)
    return np.repeat(pixels[:, None, :, None], 3, -1).astype("uint8"), labels


def judge(images):
    """Return logits and features: the class is read from the first pixel alone."""
    pixels = np.asarray(images)[:, 0, :, 0].astype("float32")
    return [np.stack([100 - pixels[:, 0], pixels[:, 0] - 100], 1), pixels]


def encode(images):
    first, second = np.asarray(images)[:, 0, :, 0].astype("float32").T[..., None]
    return [first, second, np.full_like(second, -20)]


def decode(codes):
    pixels = np.concatenate(codes, 1).clip(0, 255).round()
    return np.repeat(pixels[:, None, :, None], 3, -1).astype("uint8")


def encode_all_as_style(images):
    content, style, _ = encode(images)
    both = np.concatenate([content, style], 1)
    return [0 * content, both, np.full_like(both, -20)]


def decode_style(codes):
    return decode([codes[1][:, :1], codes[1][:, 1:]])


def test_codes_that_are_apart_score_as_they_should():
    scores = swap_scores(Autoencoder(encode, decode), judge, examples(), examples(seed=1))
    assert scores["judge"]["share"] == scores["swap_accuracy"]["share"] == 1
    assert scores["class_from"]["s"] == {"linear": 1.0, "mlp": 1.0}
    assert scores["class_from"]["z_mean"]["linear"] < 0.7
    assert scores["style_kept"] == {"code": 1.0}
    assert scores["retrieval"]["s"] == 1 and scores["retrieval"]["z_mean"] < 0.7
    assert scores["diversity"]["pixels"] == pytest.approx(1, abs=0.3)
    assert scores["content_ignored"]["error"] == 0
    # Half of the images get a content of the other class: one pixel of two is off by 200.
    assert scores["content_ignored"]["error_with_other_content"] == pytest.approx(50, abs=10)


def test_a_decoder_that_ignores_the_content_is_seen():
    autoencoder = Autoencoder(encode_all_as_style, decode_style)
    scores = swap_scores(autoencoder, judge, examples(), examples(seed=1))
    assert scores["swap_accuracy"]["share"] == pytest.approx(0.5, abs=0.15)
    assert scores["class_from"]["z_mean"]["linear"] == 1
    assert scores["class_from"]["s"]["linear"] == 0.5
    assert scores["content_ignored"]["error_with_other_content"] == 0


def test_codes_need_no_recipe_to_be_watched_in_training():
    images, labels = examples(20)
    swapped = lambda pair: decode([encode(pair[0])[0], encode(pair[1])[1]])  # noqa: E731
    assert swap_progress(swapped, judge, images, labels) == {"swap_accuracy": 1.0}
    turned = lambda pair: swapped(pair[::-1])  # noqa: E731
    # Every second image has the class of the one before.
    assert swap_progress(turned, judge, images, labels) == {"swap_accuracy": 0.5}


def test_errors_are_in_levels():
    images, _ = examples(4)
    codes = {"s": encode(images)[0], "z_mean": encode(images)[1]}
    brighter = lambda codes: decode([codes[0] + 10, codes[1]])  # noqa: E731
    assert content_ignored(brighter, images, codes, np.arange(4))["error"] == 5


def test_partners_are_others_of_the_class():
    labels = np.array([0, 1, 0, 2, 1, 0, 2])
    partner = partners(labels, np.random.default_rng(0))
    assert sorted(partner) == list(range(7)) and (partner != np.arange(7)).all()
    np.testing.assert_array_equal(labels[partner], labels)
