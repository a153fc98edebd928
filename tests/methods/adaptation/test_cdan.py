"""CDAN: what its discriminator sees, whom it moves, and which examples count."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.callbacks import ProgressSchedule, inverse_decay, reversal_ramp
from keras_dtl.methods import CDAN
from keras_dtl.methods.adaptation.cdan import conditioned_size
from tests.methods.adaptation.test_dann import points
from tests.methods.adaptation.test_domain_adaptation import batch
from tests.networks import CLASSES, compiled, dense, encoder

FEATURES = 6


def make(optimizer=None, entropy_conditioning=True, **settings):
    networks = encoder(), dense(CLASSES), dense(1, FEATURES * CLASSES, name="discriminator")
    return compiled(
        CDAN(*networks, entropy_conditioning=entropy_conditioning, **settings), optimizer
    )


def randomized():
    """A model of so many features and classes that their products are too many."""
    return compiled(CDAN(encoder(features=1024), dense(5, 1024), dense(1, 16), projection_size=16))


def by_hand(model, data):
    """Return features, answers and products of both domains, the source's first, in NumPy."""
    images = np.concatenate([data["source"][0], data["target"]])
    features = model.encoder(images).numpy().astype("float64")
    logits = model.classifier(features).numpy().astype("float64")
    answers = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    products = np.stack([np.outer(f, g).ravel() for f, g in zip(features, answers, strict=True)])
    return features, answers, products


@pytest.mark.parametrize("entropy_conditioning", [False, True])
def test_domain_loss_equals_numpy(entropy_conditioning):
    model, data = make(entropy_conditioning=entropy_conditioning), batch()
    _, answers, products = by_hand(model, data)
    logits = model.discriminator(products).numpy()[:, 0].astype("float64")
    entropy = -(answers * np.log(answers)).sum(1)
    weights = 1 + np.exp(-entropy) if entropy_conditioning else np.ones(len(entropy))
    losses = np.log1p(np.exp(np.where(np.arange(10) < 6, logits, -logits)))
    parts = [
        (losses * weights / weights[part].mean())[part].mean() for part in (slice(6), slice(6, 10))
    ]
    logs = model.train_step(data)
    assert float(logs["domain_loss"]) == pytest.approx(np.mean(parts), rel=1e-5)


def test_weights_of_the_batch_join_those_of_certainty():
    model = make(keras.optimizers.SGD(0.0))
    images, labels = batch()["source"]
    data = {**batch(), "source": (images, labels, np.array([2.0, 0, 1, 1, 1, 1], "float32"))}
    _, answers, products = by_hand(model, data)
    logits = model.discriminator(products).numpy()[:, 0]
    certainty = 1 + np.exp((answers * np.log(answers)).sum(1))
    losses = np.log1p(np.exp(np.where(np.arange(10) < 6, logits, -logits)))
    source = np.mean(losses[:6] * [2, 0, 1, 1, 1, 1] * certainty[:6] / certainty[:6].mean())
    target = np.mean(losses[6:] * certainty[6:] / certainty[6:].mean())
    logs = model.train_step(data)
    assert float(logs["domain_loss"]) == pytest.approx((source + target) / 2, rel=1e-5)


def steps_of(strength, weight=1.0):
    """Return how far one plain gradient step moves each network, by name."""
    keras.utils.set_random_seed(1)
    model = make(
        keras.optimizers.SGD(1.0),
        entropy_conditioning=False,
        reversal_strength=strength,
        adaptation_weight=weight,
    )
    names = ("encoder", "classifier", "discriminator")
    before = {name: getattr(model, name).get_weights() for name in names}
    model.train_step(batch())
    return {
        name: [a - b for a, b in zip(getattr(model, name).get_weights(), start, strict=True)]
        for name, start in before.items()
    }


def test_encoder_climbs_and_discriminator_descends_the_domain_loss():
    keras.utils.set_random_seed(1)
    model, data = make(), batch()
    images = np.concatenate([data["source"][0], data["target"]])
    with tf.GradientTape() as tape:
        features = model.encoder(images)
        answers = by_hand(model, data)[1].astype("float32")  # they condition, and are not moved
        products = tf.reshape(tf.einsum("bf,bc->bfc", features, answers), (10, -1))
        logits = model.discriminator(products)
        domains = tf.nn.softplus(logits[:6]), tf.nn.softplus(-logits[6:])
        loss = sum(0.5 * tf.reduce_mean(part) for part in domains)
    encoder_weights = model.encoder.trainable_variables
    gradients = tape.gradient(loss, encoder_weights + model.discriminator.trainable_variables)
    task, both = steps_of(strength=0.0), steps_of(strength=0.5)
    count = len(encoder_weights)
    for ours, without, gradient in zip(
        both["encoder"], task["encoder"], gradients[:count], strict=True
    ):
        np.testing.assert_allclose(ours - without, 0.5 * gradient.numpy(), atol=1e-6)
    for ours, gradient in zip(both["discriminator"], gradients[count:], strict=True):
        np.testing.assert_allclose(ours, -gradient.numpy(), atol=1e-6)


def test_classifier_learns_the_labels_alone():
    without, strong = steps_of(1.0, weight=0.0)["classifier"], steps_of(10.0)["classifier"]
    for a, b in zip(without, strong, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.abs(a).max() > 0


def test_random_map_takes_over_where_products_are_too_many(tmp_path):
    assert conditioned_size(1024, 4) == 4096 and conditioned_size(1024, 5, 16) == 16
    model, data = randomized(), batch()
    outputs = model.domain_outputs(data["source"][0], data["target"])
    features, answers, _ = by_hand(model, data)
    of_features, of_answers = (p.numpy() for p in model.projections)
    expected = (features @ of_features) * (answers @ of_answers) / 4
    np.testing.assert_allclose(model.evidence(outputs), expected, rtol=1e-3, atol=1e-3)
    assert abs(of_features.std() - 1) < 0.05
    model.train_step(data)
    np.testing.assert_array_equal(of_features, model.projections[0].numpy())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(of_features, loaded.projections[0].numpy())


def test_random_products_are_those_of_the_whole_map_on_average():
    """What makes the random map one: inner products of maps are kept (theorem 3 of the paper)."""
    random = np.random.default_rng(0)
    (f, other_f), (g, other_g) = (random.normal(size=(2, n)) for n in (20, 3))
    size = 200_000
    of_features, of_answers = (random.normal(size=(n, size)) for n in (20, 3))
    mapped, other = (
        (a @ of_features) * (b @ of_answers) / np.sqrt(size)
        for a, b in ((f, g), (other_f, other_g))
    )
    assert mapped @ other == pytest.approx((f @ other_f) * (g @ other_g), abs=0.3)


def test_networks_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="take 18 numbers"):
        CDAN(encoder(), dense(CLASSES), dense(1))
    x = keras.Input((4, 4, 6))
    maps = keras.Model(x, keras.layers.Conv2D(CLASSES, 1)(x))
    image = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="gives vectors"):
        CDAN(keras.Model(image, keras.layers.Conv2D(6, 5)(image)), maps, dense(1, 18))


def toy_accuracy(weight, seed, steps=400):
    """Return the accuracy on target points after training with labels of the source's."""
    keras.utils.set_random_seed(seed)
    x = keras.Input((2,))
    features = keras.Model(x, keras.layers.Dense(16, activation="relu")(x))
    discriminator = keras.Sequential(
        [keras.Input((32,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)]
    )
    model = compiled(CDAN(features, dense(2, 16), discriminator, weight), "adam")
    schedule = ProgressSchedule(
        {"reversal_strength": reversal_ramp(), "optimizer.learning_rate": inverse_decay(0.01)}
    )
    domains = {"source": points(512, 0, False), "target": points(512, 1, True)[0]}
    dataset = tf.data.Dataset.from_tensor_slices(domains).batch(128).cache().repeat()
    model.fit(dataset, steps_per_epoch=steps, verbose=0, callbacks=[schedule])
    images, truth = points(512, 2, True)
    return (model(images).numpy().argmax(1) == truth).mean()


@pytest.mark.slow
def test_toy_is_won_by_adaptation_and_lost_without_its_weight():
    won, lost = ([toy_accuracy(weight, seed) for seed in (0, 1, 2)] for weight in (1.0, 0.0))
    assert np.median(won) > 0.97, won
    assert np.median(lost) < 0.9, lost
