import keras
import numpy as np
import pytest

from keras_dtl.evaluation import fit_judge, judge_images, judged_share, load_or_fit_judge
from keras_dtl.evaluation import image_judge as module


def bars(count=30, seed=0):
    """Return images `(n, 6, 6, 1)` whose bright column tells the class, one of three."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = random.integers(0, 80, (count, 6, 6, 1)).astype("uint8")
    images[np.arange(count), :, 2 * labels] = 255
    return images, labels


def network():
    image = keras.Input((6, 6, 1), dtype="uint8")
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image))
    return keras.Model(image, keras.layers.Dense(16, activation="relu")(x))


@pytest.fixture(scope="module")
def judge():
    return fit_judge(network, *bars(), epochs=1)


def test_judge_knows_images_that_it_never_saw(judge):
    images, labels = bars(60, seed=1)
    assert judged_share(judge, images, labels) == {"share": 1.0, "interval": [1.0, 1.0]}
    assert judged_share(judge, images, (labels + 1) % 3)["share"] == 0
    half = judged_share(judge, images, np.where(np.arange(60) < 30, labels, 2 - labels))
    # Of three classes the middle one is its own opposite: (30 + 10) of 60 are right.
    assert half["share"] == pytest.approx(40 / 60)
    assert half["interval"][0] < half["share"] < half["interval"][1]
    classes, features = judge_images(judge, images)
    np.testing.assert_array_equal(classes, labels)
    assert features.shape == (60, 128) and features.min() >= 0


def test_judge_is_frozen_and_the_seed_decides_it(monkeypatch):
    monkeypatch.setattr(module, "_LEAST_STEPS", 3)
    begun = []

    def remembered():
        built = network()
        begun.append(built.get_weights()[0])
        return built

    one, again, other = (fit_judge(remembered, *bars(), seed=seed, epochs=1) for seed in (0, 0, 1))
    assert not one.trainable_weights
    np.testing.assert_array_equal(again.get_weights()[0], one.get_weights()[0])
    assert np.abs(other.get_weights()[0] - one.get_weights()[0]).max() > 1e-3
    assert np.abs(begun[2] - begun[0]).max() > 1e-3


def test_own_batches_are_learnt_from(monkeypatch):
    monkeypatch.setattr(module, "_LEAST_STEPS", 30)
    images, labels = bars()

    def batches():
        while True:  # what is told is wrong on purpose
            yield images, (labels + 1) % 3

    judge = fit_judge(network, images, labels, num_classes=5, epochs=1, batches=batches())
    assert judge.output_shape[0] == (None, 5)
    assert judged_share(judge, images, (labels + 1) % 3)["share"] > 0.9


def test_judge_is_fitted_once_for_each_set_of_images(tmp_path):
    images, labels = bars(12)
    fitted = []

    def judge_of(count, folder=tmp_path):
        def fit():
            fitted.append(count)
            image = keras.Input((6, 6, 1))
            features = keras.layers.Flatten()(image)
            return keras.Model(image, [keras.layers.Dense(3)(features), features])

        return load_or_fit_judge(fit, images[:count], labels[:count], folder)

    first, again = judge_of(12), judge_of(12)
    np.testing.assert_array_equal(again.get_weights()[0], first.get_weights()[0])
    judge_of(6)
    judge_of(12, tmp_path / "not there")
    assert fitted == [12, 6, 12] and not (tmp_path / "not there").exists()
