import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.methods import (
    CCSA,
    DANN,
    MCC,
    MME,
    SourceOnly,
    shares_by_likelihood,
    shares_by_matching,
    turn_to_shares,
)
from keras_dtl.methods.adaptation.label_shift import LARGEST_RATIO, ClassShares, redraw
from tests.methods.adaptation.test_domain_adaptation import batch, images
from tests.methods.adaptation.test_every_adaptation import cosine_head
from tests.networks import CLASSES, compiled, dense, encoder

SHARES = np.array([0.7, 0.2, 0.1])


def answers(count, shares, seed, sharpness=1.0):
    """Labels in given shares and calibrated answers about them: Bayes' rule at equal shares."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, count, p=shares)
    points = rng.normal(2 * labels, 1.0)
    logits = -0.5 * (points[:, None] - 2 * np.arange(3)) ** 2 * sharpness
    p = np.exp(logits)
    return p / p.sum(1, keepdims=True), labels


def test_both_estimates_find_the_shares():
    source, labels = answers(4000, np.ones(3) / 3, 0)
    target, truth = answers(4000, SHARES, 1)
    found = np.bincount(truth) / 4000
    np.testing.assert_allclose(shares_by_matching(source, labels, target), found, atol=0.03)
    np.testing.assert_allclose(shares_by_likelihood(target, np.ones(3) / 3), found, atol=0.03)
    assert np.abs(target.mean(0) - found).max() > 0.08  # what counting alone would say


def test_matching_needs_no_calibration():
    source, labels = answers(4000, np.ones(3) / 3, 0, sharpness=30.0)
    target, truth = answers(4000, SHARES, 1, sharpness=30.0)
    found = np.bincount(truth) / 4000
    np.testing.assert_allclose(shares_by_matching(source, labels, target), found, atol=0.03)


def test_class_missing_in_the_target_has_no_share():
    source, labels = answers(4000, np.ones(3) / 3, 0)
    target, _ = answers(4000, [0.6, 0.4, 0.0], 1)
    for found in (
        shares_by_matching(source, labels, target),
        shares_by_likelihood(target, np.ones(3) / 3),
    ):
        assert found[2] < 0.03
        assert found.sum() == pytest.approx(1)


def test_bad_input_is_named():
    source, labels = answers(100, np.ones(3) / 3, 0)
    few = source[:29]
    for call in (
        lambda: shares_by_matching(source, labels, few),
        lambda: shares_by_likelihood(few, np.ones(3) / 3),
    ):
        with pytest.raises(ValueError, match="at least 30 target examples. Received: 29"):
            call()
    with pytest.raises(ValueError, match=r"Missing: \[2\]"):
        shares_by_matching(source[labels < 2], labels[labels < 2], source)
    with pytest.raises(ValueError, match="confuses classes"):
        shares_by_matching(np.tile([0.5, 0.3, 0.2], (100, 1)), labels, source)
    with pytest.raises(ValueError, match="share above 0"):
        shares_by_likelihood(source, [0.5, 0.5, 0])
    with pytest.raises(ValueError, match="sum 1"):
        shares_by_likelihood(source * 2, np.ones(3) / 3)


def test_turned_classifier_follows_bayes_rule():
    model, x = SourceOnly(encoder(), dense(CLASSES)), images(5)
    before = model.deployable()(x).numpy()
    turn_to_shares(model, SHARES, [0.2, 0.3, 0.5])
    expected = before * (SHARES / [0.2, 0.3, 0.5])
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(model.deployable()(x).numpy(), expected, atol=1e-5)


def test_classifier_that_cannot_be_turned_is_refused():
    with pytest.raises(ValueError, match="CosineLogits"):
        turn_to_shares(MME(encoder(), cosine_head()), SHARES, SHARES)


@pytest.mark.parametrize(
    ("weights", "positions"),
    [
        ([1.0, 1, 1, 1], [0, 1, 2, 3]),
        ([2.0, 0, 1, 1], [0, 0, 2, 3]),
        ([0.0, 0, 0, 5], [3, 3, 3, 3]),
        ([7.0], [0]),
    ],
)
def test_examples_are_drawn_again_by_weight(weights, positions):
    np.testing.assert_array_equal(redraw(tf.constant(weights)), positions)


def test_running_shares_are_those_of_labels_and_answers():
    layer = ClassShares(3, momentum=0.9)
    for step in range(60):
        labels = np.random.default_rng(step).integers(0, 3, 32)
        target, _ = answers(32, SHARES, 1000 + step, sharpness=8.0)
        weights = layer(labels, tf.constant(np.log(target), "float32"))
    np.testing.assert_allclose(layer.target, SHARES, atol=0.12)
    np.testing.assert_allclose(layer.source, 1 / 3, atol=0.12)
    ratio = (layer.target / layer.source).numpy()
    np.testing.assert_allclose(weights, ratio[labels], rtol=1e-5)
    assert ratio.max() < LARGEST_RATIO


def test_running_shares_do_not_run_away_from_what_is_answered():
    """Answers that lean to one class must not be turned further to it, step after step."""
    layer = ClassShares(3, momentum=0.5)
    logits = tf.constant(np.log([[0.5, 0.3, 0.2]]), "float32")
    for _ in range(40):
        layer(np.array([0, 1, 2]), logits)
    np.testing.assert_allclose(layer.target, [0.5, 0.3, 0.2], atol=1e-4)


def test_source_is_drawn_in_the_targets_shares_for_the_adaptation_alone():
    data = batch(source=60, target=40)
    plain, shifted = (
        compiled(DANN(encoder(), dense(CLASSES), dense(1), label_shift=on)) for on in (False, True)
    )
    shifted.shares.target.assign([0.98, 0.01, 0.01])
    outputs = shifted.domain_outputs(data["source"][0], data["target"])
    outputs = outputs._replace(labels=tf.constant(data["source"][1]))
    drawn = shifted.in_target_shares(outputs)
    share = float(np.mean(drawn.labels.numpy() == 0))
    assert share > 0.8 > float(np.mean(data["source"][1] == 0))
    ours = {tuple(row) for row in outputs.features[:60].numpy()[data["source"][1] == 0]}
    assert {tuple(row) for row in drawn.features[:60].numpy()[drawn.labels.numpy() == 0]} <= ours
    np.testing.assert_array_equal(drawn.features[60:], outputs.features[60:])
    assert plain.in_target_shares(outputs) is outputs
    for network in ("encoder", "classifier", "discriminator"):
        getattr(shifted, network).set_weights(getattr(plain, network).get_weights())
    logs = [float(model.train_step(data)["label_loss"]) for model in (plain, shifted)]
    assert logs[0] == pytest.approx(logs[1], rel=1e-5)


def test_option_and_shares_are_saved(tmp_path):
    model = compiled(DANN(encoder(), dense(CLASSES), dense(1), label_shift=True))
    model.train_step(batch())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.label_shift
    np.testing.assert_array_equal(loaded.shares.target, model.shares.target)


@pytest.mark.parametrize("method", [SourceOnly, MCC, MME, CCSA])
def test_methods_that_compare_no_domains_refuse_the_option(method):
    with pytest.raises(ValueError, match=f"{method.__name__} takes no `label_shift`"):
        method(encoder(), dense(CLASSES), label_shift=True)
