import math

import pytest

from keras_dtl.callbacks import (
    constant,
    cosine_decay,
    half_cosine_rise,
    inverse_decay,
    linear_decay,
    reversal_ramp,
)


def test_reversal_ramp_is_the_papers():
    ramp = reversal_ramp()
    assert ramp(0.0) == 0.0
    assert ramp(0.1) == pytest.approx(2 / (1 + math.exp(-1)) - 1)
    assert ramp(1.0) == pytest.approx(0.9999092)
    assert reversal_ramp(final=0.3)(1.0) == pytest.approx(0.3, abs=1e-4)


def test_inverse_decay_is_the_papers():
    decay = inverse_decay(0.01)
    assert decay(0.0) == 0.01
    assert decay(0.5) == pytest.approx(0.01 / 6**0.75)
    assert decay(1.0) == pytest.approx(0.0016556, rel=1e-4)


def test_linear_decay_holds_then_falls_to_zero():
    decay = linear_decay(2e-4)
    assert [decay(p) for p in (0.0, 0.5, 0.75, 1.0)] == [2e-4, 2e-4, 1e-4, 0.0]


def test_cosine_decay_falls_to_zero():
    assert [cosine_decay(0.2)(p) for p in (0.0, 0.5, 1.0)] == pytest.approx([0.2, 0.1, 0.0])


def test_constant_stays():
    assert constant(3)(0.0) == constant(3)(0.9) == 3


def test_cosine_rises_to_its_middle_at_half_way_and_stays():
    rise = half_cosine_rise(final=2.0, until=0.5)
    values = [rise(p) for p in (0.0, 0.25, 0.5, 0.8, 1.0)]
    assert values == pytest.approx([0.0, 1.0, 2.0, 2.0, 2.0])
