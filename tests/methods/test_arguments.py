"""Arguments of constructors that no training can work with are refused in words."""

import inspect
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl import methods
from keras_dtl.methods.arguments import check_numbers
from tests.methods.motion.test_motion_methods import FEATURES, autoencoder, transfer
from tests.methods.motion.test_motion_methods import batch as motion_batch
from tests.methods.separation import test_gmv as gmv
from tests.methods.separation import test_swap_vae as swap_vae
from tests.methods.style import test_fast_style as style
from tests.methods.translation import test_translation as translation

METHODS = [
    value
    for value in vars(methods).values()
    if inspect.isclass(value) and issubclass(value, methods.Method)
]
NUMBERS = [
    (method, name, parameter.default)
    for method in METHODS
    for name, parameter in inspect.signature(method).parameters.items()
    if isinstance(parameter.default, (int, float)) and name != "adaptation_weight"
]


def test_no_number_of_any_method_is_none_or_negative():
    assert len(NUMBERS) > 50
    for method, name, default in NUMBERS:
        values = ["1", None, 0.5 if isinstance(default, int) else True]
        for value in [math.nan, math.inf, -1, *values]:
            with pytest.raises(ValueError, match=f"`{name}` of {method.__name__} must be"):
                check_numbers(method, (), {name: value})
        check_numbers(method, (), {name: default})


def test_numbers_that_a_base_takes_are_looked_at_too():
    with pytest.raises(ValueError, match="`real_penalty_weight` of GMV must be a finite number"):
        gmv.gmv(real_penalty_weight=math.nan)
    with pytest.raises(ValueError, match="`style_weight` of FastStyle must be a finite number"):
        style.make(style_weight="3")
    weight = keras.Variable(0.5)
    assert gmv.gmv(view_weight=np.float32(2)).get_config()["view_weight"] == 2
    assert gmv.gmv(view_weight=weight).get_config()["view_weight"] == 0.5


def test_motion_is_normalised_by_numbers():
    config = {**autoencoder().get_config(), "deviation": [math.nan] * FEATURES}
    with pytest.raises(ValueError, match="finite, above 0"):
        methods.SequentialAdversarialAutoencoder.from_config(config)


MOTION = motion_batch()[0].numpy()
LABELS = np.array([0, 1, 2, 0, 1, 2])
WRONG = {
    "column": (LABELS[:, None], r"shape \(6, 1\)"),
    "one-hot": (np.eye(3)[LABELS], r"shape \(6, 3\)"),
    "floats": (LABELS + 0.5, "float64"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_labels_that_are_no_numbers_of_classes_are_refused(kind):
    """A column is compared with itself in all pairs, and parts of numbers were cut off."""
    labels, words = WRONG[kind]
    images = {name: value.numpy() for name, value in swap_vae.batch().items()}
    for model in (gmv.gmv(True), gmv.cgmv(), swap_vae.swap_vae(mode="leak_free")):
        with pytest.raises(ValueError, match=f"`label` takes the whole number.*{words}"):
            swap_vae.compiled(model).fit({**images, "label": labels}, verbose=0)
    with pytest.raises(ValueError, match=f"`labels` takes the whole number.*{words}"):
        autoencoder(3).fit(MOTION, labels, verbose=0)
    with pytest.raises(ValueError, match=f"`style` takes the whole number.*{words}"):
        transfer().fit(MOTION, (labels, LABELS % 2), verbose=0)


def test_labels_of_no_class_are_refused_in_words():
    with pytest.raises(ValueError, match=r"`action` must lie in 0\.\.1.*numbers in 0\.\.2"):
        transfer().fit(MOTION, (LABELS % 2, LABELS), verbose=0)
    with pytest.raises(ValueError, match=r"`labels` must lie in 0\.\.2.*numbers in -1\.\.1"):
        autoencoder(3).fit(MOTION, LABELS - 1, verbose=0)
    with pytest.raises(ValueError, match=r"two labels of each.*a dictionary of motion"):
        transfer().fit({"motion": MOTION, "style": LABELS, "action": LABELS % 2}, verbose=0)
    batch = {**swap_vae.batch(), "label": tf.constant(LABELS + 7, "uint8")}
    # The second is said where an earlier test of this process asked for deterministic operations.
    with pytest.raises(ValueError, match=r"Received: (the label \d|a label outside of them)"):
        swap_vae.compiled(gmv.gmv(True)).fit(tf.data.Dataset.from_tensors(batch), verbose=0)


@pytest.mark.parametrize(
    ("make", "frozen", "players"),
    [
        (translation.pix2pix, "discriminator", ("discriminator_optimizer",)),
        (gmv.gmv, "generator", ("discriminator_optimizer",)),
        (style.make, "generator", ()),
    ],
)
def test_networks_that_do_not_learn_are_told(make, frozen, players, caplog):
    model = make()
    getattr(model, frozen).trainable = False
    model.compile("sgd", **dict.fromkeys(players, "sgd"))
    assert f"nothing of `{frozen}` learns" in caplog.text


def test_a_method_made_frozen_stays_as_it_is(caplog):
    model = translation.pix2pix(trainable=False)
    model.compile("sgd", discriminator_optimizer="sgd")
    assert "Pix2Pix is frozen as a whole" in caplog.text
    before = [weight.copy() for weight in model.get_weights()]
    model.train_step((translation.images(2), translation.images(2, 1)))
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_motion_is_not_rounded_before_it_is_normalised():
    """Joints lie hundreds of units from the origin, of which bfloat16 would leave eight bits."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model, motion = transfer(), MOTION + 500
        np.testing.assert_array_equal(
            model((motion, motion)), model.call((tf.constant(motion), tf.constant(motion)))
        )
    finally:
        keras.config.set_dtype_policy("float32")
