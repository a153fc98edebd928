import keras
import numpy as np
import pytest

from keras_dtl.layers import GramMatrix


def gram_by_loops(features):
    batch, height, width, channels = features.shape
    gram = np.zeros((batch, channels, channels))
    for b in range(batch):
        for i in range(channels):
            for j in range(channels):
                gram[b, i, j] = np.sum(features[b, :, :, i] * features[b, :, :, j])
    return gram


@pytest.mark.parametrize(
    ("normalization", "divisor"), [(None, 1), ("positions", 4 * 5), ("elements", 4 * 5 * 3)]
)
def test_equals_a_double_loop(normalization, divisor):
    features = np.random.default_rng(0).normal(size=(2, 4, 5, 3))
    gram = keras.ops.convert_to_numpy(GramMatrix(normalization)(features))
    # Of sums that cancel, rounding is small beside what was summed, not beside what is left.
    summed = gram_by_loops(np.abs(features)) / divisor
    assert (np.abs(gram - gram_by_loops(features) / divisor) <= 1e-6 * summed).all()


def test_float16_features_are_summed_in_float32():
    features = np.full((1, 64, 64, 2), 8, "float16")  # 64 * 64 * 64 is beyond float16
    gram = GramMatrix(dtype="float16")(features)
    assert keras.backend.standardize_dtype(gram.dtype) == "float32"
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(gram), np.full((1, 2, 2), 262144.0))


def test_image_size_may_be_unknown():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, GramMatrix("positions")(inputs))
    assert model.output_shape == (None, 3, 3)
    for size in (4, 6):
        features = np.random.default_rng(size).normal(size=(1, size, size, 3))
        expected = gram_by_loops(features) / size**2
        np.testing.assert_allclose(model(features).numpy(), expected, rtol=1e-4)


def test_config_round_trip_and_unknown_normalization():
    layer = GramMatrix.from_config(GramMatrix("elements").get_config())
    assert layer.normalization == "elements"
    with pytest.raises(ValueError, match="normalization"):
        GramMatrix("mean")
