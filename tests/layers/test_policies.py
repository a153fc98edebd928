"""Layers compute under the policy that they are given, whatever that of the process is."""

import keras
import numpy as np
import pytest

from keras_dtl import layers

MAPS, SEQUENCE, CODE = (2, 8, 8, 3), (2, 5, 7), (2, 4)
LAYERS = {
    "adaptive": (layers.AdaptiveInstanceNormalization, SEQUENCE, CODE),
    "conditional": (layers.ConditionalInstanceNormalization, MAPS, CODE),
    "coral": (layers.CORALAlignment, CODE),
    "fixed": (lambda **kwargs: layers.FixedCode([1.0, 2.0], **kwargs), CODE),
    "instance": (layers.InstanceNormalization, MAPS),
    "mixture": (lambda **kwargs: layers.ClassMixture(2, 3, **kwargs), (4, 6)),
    "plant": (lambda **kwargs: layers.PlantFeet([[0.5, 0.0]], **kwargs), SEQUENCE),
    "reversal": (layers.GradientReversal, CODE),
    "smooth": (layers.SmoothFrames, SEQUENCE),
    "time": (lambda **kwargs: layers.TimeGate(3, 9, **kwargs), SEQUENCE),
}


@pytest.mark.parametrize("policy", ["float16", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", LAYERS)
def test_output_has_the_type_of_the_policy(name, policy):
    make, *shapes = LAYERS[name]
    random = np.random.default_rng(0)
    inputs = [random.normal(size=shape).astype("float32") for shape in shapes]
    layer = make(dtype=policy)
    output = layer(inputs[0] if len(inputs) == 1 else inputs)
    assert output.dtype == layer.compute_dtype
    assert np.isfinite(keras.ops.convert_to_numpy(output).astype("float32")).all()


def test_what_was_fitted_is_not_rounded_to_16_bits():
    random = np.random.default_rng(0)
    source, target = random.normal(size=(50, 3)), random.normal(50, 1, size=(40, 3))
    outputs = []
    for policy in ("float32", "mixed_bfloat16"):
        layer = layers.CORALAlignment(recentre=True, dtype=policy)
        layer.adapt(source, target)
        outputs.append(keras.ops.cast(layer(source.astype("float32")), "float32"))
    np.testing.assert_allclose(*outputs, atol=0.25)  # of 50, in steps of bfloat16
