import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_dtl.losses import moment_discrepancy, mutual_information, paired_contrast
from keras_dtl.methods import CGMV, GMV
from keras_dtl.methods.separation.gmv import missing_views, shared_information
from keras_dtl.methods.separation.separation import call_frozen
from tests.methods.separation.test_swap_vae import (
    CONTENT,
    SIZE,
    STYLE,
    batch,
    compiled,
    decoder,
    discriminator,
    moved,
)


def code_encoder(numbers):
    image = keras.Input(SIZE)
    return keras.Model(image, layers.Dense(numbers)(layers.Flatten()(image)))


def gmv(extension=False, **kwargs):
    return GMV(decoder(), discriminator(), classifiers() if extension else None, **kwargs)


def classifiers(count=2):
    image = keras.Input(SIZE)
    return keras.Model(image, [code_encoder(5)(image) for _ in range(count)])


def cgmv(extension=True, **kwargs):
    view = code_encoder(STYLE) if extension else None
    return CGMV(code_encoder(CONTENT), decoder(), discriminator(), view, **kwargs)


@pytest.mark.parametrize(
    ("make", "game"),
    [
        (gmv, {"real_target": 0.9, "generated_target": 0.1}),
        (gmv, {"extension": True}),
        (cgmv, {"adversarial": "hinge", "real_penalty_weight": 1.0}),
        (cgmv, {"extension": False, "adversarial": "wgan_gp"}),
    ],
)
def test_step_moves_every_player_in_every_game(make, game):
    model = compiled(make(**game))
    starts = {name: getattr(model, name).get_weights() for name in networks(model)}
    logs = model.train_step(batch())
    assert all(np.isfinite(float(value)) for value in logs.values())
    for name, start in starts.items():
        assert moved(getattr(model, name), start), name


def networks(model):
    names = ("generator", "discriminator", "encoder", "view_encoder", "classifier")
    return [name for name in names if getattr(model, name, None) is not None]


def test_both_views_have_one_content():
    """A generator that ignores the view draws twice the same; one that heeds it does not."""
    model = gmv()
    content = tf.random.normal((4, CONTENT))
    views = model.drawn_views(content)
    first, second = model.two_views(content, views)
    assert (np.abs(first - second) > 1e-4).any()
    np.testing.assert_allclose(first, model.generator([content, views[0]]), atol=1e-6)
    np.testing.assert_allclose(second, model.generator([content, views[1]]), atol=1e-6)
    kernel = model.generator.layers[-2].kernel
    kernel.assign(tf.concat([kernel[:CONTENT], tf.zeros((STYLE, 64))], 0))
    first, second = model.two_views(content, views)
    # The last digit of a product depends on the example's place in the batch.
    np.testing.assert_allclose(first, second, atol=1e-6)


def answers_to(model, pair):
    return call_frozen(model.classifier, tf.concat(pair, 0))


def test_views_share_information_as_the_loss_says():
    model = gmv(extension=True)
    pair = [tf.random.normal((6, *SIZE)) for _ in range(2)]
    answers = zip(*(model.classifier(image) for image in pair), strict=True)
    expected = np.mean([mutual_information(*logits) for logits in answers])
    found = shared_information(answers_to(model, pair))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_coverage_is_the_surprise_at_the_mean_answers_after_those_of_the_latest_batches():
    model = gmv(extension=True)
    latest = np.full((2, 5), 0.2)
    for _ in range(3):
        answers = [tf.random.normal((8, 5)) for _ in range(2)]
        mean = np.mean(tf.nn.softmax(answers), 1)
        found = model.coverage(answers)
        latest = 0.98 * latest + 0.02 * mean
        np.testing.assert_allclose(model.latest_answers, latest, rtol=1e-5)
        expected = -(mean * np.log(latest)).sum(1).mean()
        assert float(found) == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_coverage_asks_for_the_objects_that_were_not_drawn_of_late():
    model = gmv(extension=True)
    often = tf.one_hot([0] * 6, 5) * 20.0
    for _ in range(200):
        model.coverage([often, often])
    logits = tf.Variable(tf.zeros((6, 5)))
    with tf.GradientTape() as tape:
        loss = -model.coverage([logits, logits])
    slope = tape.gradient(loss, logits).numpy()
    assert (slope[:, 0] > 0).all() and (slope[:, 1:] < 0).all()
    for _ in range(2000):  # until the others are forgotten to nothing
        assert np.isfinite(model.coverage([often, often]))


@pytest.mark.parametrize("term", ["shared_information", "coverage"])
def test_answers_teach_the_generator_alone(term):
    model = gmv(extension=True)
    with tf.GradientTape(persistent=True) as tape:
        content = tf.random.normal((6, CONTENT))
        answers = answers_to(model, model.two_views(content, model.drawn_views(content)))
        shared = term == "shared_information"
        found = shared_information(answers) if shared else model.coverage(answers)
    assert all(np.abs(g).max() > 0 for g in tape.gradient(found, model.generator.trainable_weights))
    assert set(tape.gradient(found, model.classifier.trainable_weights)) == {None}


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_each_classifier_learns_from_real_pairs_alone(smoothing):
    model = gmv(extension=True, label_smoothing=smoothing)
    pair, labels = [tf.random.normal((6, *SIZE)) for _ in range(2)], batch()["label"]
    with tf.GradientTape() as tape:
        found = model.classification(pair, labels)
    of_first, of_second = ([a.numpy() for a in model.classifier(image)] for image in pair)
    expected = []
    for answers in zip(of_first, of_second, strict=True):
        logits = np.concatenate(answers).astype("float64")
        right = logits[np.arange(12), np.tile(labels, 2)]
        wanted = (1 - smoothing) * right + smoothing * logits.mean(1)
        expected.append(np.mean(np.log(np.exp(logits).sum(1)) - wanted))
    np.testing.assert_allclose(found, np.mean(expected), rtol=1e-5)
    for gradient in tape.gradient(found, model.classifier.trainable_weights):
        assert np.abs(gradient).max() > 0


def test_one_classifier_may_have_one_output():
    """A plain Keras classifier judges as a list of one does."""
    one = classifiers(1)
    plain = keras.Model(one.input, one.output[0])
    pair, labels = [tf.random.normal((6, *SIZE)) for _ in range(2)], batch()["label"]
    networks = decoder(), discriminator()
    listed, bare = (compiled(GMV(*networks, network)) for network in (one, plain))
    assert float(listed.classification(pair, labels)) == float(bare.classification(pair, labels))
    assert listed.latest_answers.shape == bare.latest_answers.shape == (1, 5)
    assert np.isfinite(float(bare.train_step(batch())["loss"]))


def test_terms_of_the_classifier_enter_the_loss_by_weight_and_sign():
    def logs(**weights):
        keras.utils.set_random_seed(0)
        model = compiled(gmv(extension=True, **weights))
        return {name: float(v) for name, v in model.train_step(batch()).items()}

    both = logs(agreement_weight=2.0, coverage_weight=0.5, view_weight=3.0)
    expected = both["adversarial"] + both["classification"] + 3 * both["missing_views"]
    expected -= 2 * both["shared_information"] + 0.5 * both["coverage"]
    assert both["shared_information"] > 0 and both["missing_views"] > 0
    assert both["loss"] == pytest.approx(expected, rel=1e-4)
    assert both["coverage"] == pytest.approx(np.log(5), rel=0.1)


def test_missing_views_are_what_generated_pairs_lack_of_the_difference_of_real_ones():
    zeros = tf.zeros((4, *SIZE))
    real = [zeros, zeros + 0.5]
    assert float(missing_views(real, [zeros, zeros + 0.4])) == pytest.approx(0.2)
    assert float(missing_views(real, [zeros - 0.4, zeros + 0.4])) == 0  # they may differ more
    view = tf.Variable(0.1)
    with tf.GradientTape() as tape:
        loss = missing_views(real, [zeros, zeros + view])
    assert float(tape.gradient(loss, view)) < 0  # towards more difference
    assert float(missing_views([zeros, zeros], [zeros, zeros])) == 1


def test_pairs_with_the_image_come_in_three_kinds():
    model = cgmv()
    image, views = tf.zeros((600, *SIZE)), [tf.ones((600, *SIZE)), 2 * tf.ones((600, *SIZE))]
    first, second = (part[:, 0, 0, 0].numpy() for part in model.mixed_pairs(image, views))
    kinds, counts = np.unique(np.stack([first, second]), axis=1, return_counts=True)
    assert {tuple(kind) for kind in kinds.T} == {(0, 2), (1, 0), (1, 2)}
    assert counts.min() > 150


def test_extension_is_that_of_numpy():
    model = cgmv()
    image = tf.cast(batch()["first"], "float32") / 127.5 - 1
    second = tf.cast(batch()["second"], "float32") / 127.5 - 1
    content, views = model.encoder(image), model.drawn_views(image)
    images = model.two_views(content, views)
    terms = model.extension(content, second, model.view_encoder(second), images, views)
    read = [model.view_encoder(image).numpy() for image in images]
    expected = np.mean([np.mean((a - b.numpy()) ** 2) for a, b in zip(read, views, strict=True)])
    np.testing.assert_allclose(terms["view_error"], expected, rtol=1e-5)
    rebuilt = model.generator([content, model.view_encoder(second)])
    np.testing.assert_allclose(terms["reconstruction"], np.abs(rebuilt - second).mean(), rtol=1e-5)

    np.testing.assert_allclose(
        terms["view_moments"], moment_discrepancy(model.view_encoder(second)), rtol=1e-5
    )
    labels = batch()["label"]
    found = model.contrast(content, second, images[0], labels)
    of_second, of_image = model.encoder(second), model.encoder(images[0])
    expected = [paired_contrast(code, of_second, labels) for code in (content, of_image)]
    np.testing.assert_allclose(found, sum(expected), rtol=1e-5)


def test_contrast_of_new_views_teaches_the_generator_and_not_the_encoder_that_judges_them():
    model, data = cgmv(), batch()
    second = tf.cast(data["second"], "float32") / 127.5 - 1
    content, view = tf.random.normal((6, CONTENT)), tf.random.normal((6, STYLE))
    with tf.GradientTape(persistent=True) as tape:
        image = model.generator([content, view])
        loss = model.contrast(content, second, image, data["label"])
        of_real = paired_contrast(content, model.encoder(second), data["label"])
    for gradient in tape.gradient(loss, model.generator.trainable_variables):
        assert np.abs(gradient).max() > 0
    kernel = model.encoder.trainable_variables[0]
    found, expected = (tape.gradient(value, kernel) for value in (loss, of_real))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_views_are_read_through_noise_of_the_deviation_asked_for():
    images = tf.zeros((2000, *SIZE))
    for deviation in (0.0, 0.5):
        model = cgmv(view_noise=deviation)
        noise = model.read_views(images) - model.view_encoder(images)
        assert float(tf.math.reduce_std(noise)) == pytest.approx(deviation, abs=0.03)


@pytest.mark.parametrize(
    ("share", "least", "most"), [(0.0, 0, 0), (0.5, 120, 280), (1.0, 400, 400)]
)
def test_second_views_are_in_part_those_of_the_next_pair(share, least, most):
    model = cgmv(copied_share=share)
    own = tf.range(400.0)[:, None] * tf.ones((1, STYLE))
    first, second = model.copy_some([tf.fill((400, STYLE), -1.0), tf.fill((400, STYLE), -2.0)], own)
    np.testing.assert_array_equal(first, np.full((400, STYLE), -1.0))
    copied = second.numpy()[:, 0] != -2
    assert least <= copied.sum() <= most
    np.testing.assert_array_equal(second.numpy()[copied], np.roll(own, 1, 0)[copied])


def test_order_tells_nothing():
    model = gmv()
    first, second = model.in_random_order(tf.zeros((400, 1)), tf.ones((400, 1)))
    np.testing.assert_array_equal(first + second, np.ones((400, 1)))
    assert 120 < float(tf.reduce_sum(first)) < 280


def test_saved_and_loaded_model_is_the_same(tmp_path):
    model = compiled(cgmv(view_weight=0.5))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = [batch()["first"], tf.random.normal((6, STYLE))]
    np.testing.assert_allclose(loaded(inputs), model(inputs), atol=1e-6)
    assert loaded.view_weight == 0.5 and loaded.compiled


def test_the_classifier_is_saved(tmp_path):
    weights = {"agreement_weight": 0.5, "coverage_weight": 0.3, "view_weight": 2.0}
    settings = {**weights, "label_smoothing": 0.1}
    model = compiled(gmv(extension=True, **settings))
    model.train_step(batch())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    image = tf.random.normal((2, *SIZE))
    for found, expected in zip(loaded.classifier(image), model.classifier(image), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(loaded.latest_answers, model.latest_answers)
    assert {name: getattr(loaded, name) for name in settings} == settings


def test_deployed_networks_agree_with_the_method():
    model = cgmv()
    images, view = batch()["first"], np.array([0.5, -1.0], "float32")
    views = tf.tile(view[None], (6, 1))
    expected = np.clip(np.round((model([images, views]).numpy() + 1) * 127.5), 0, 255)
    np.testing.assert_allclose(model.deployable()([images, views]), expected, atol=1)
    np.testing.assert_allclose(model.in_view(view)(images), expected, atol=1)
    parts = model.parts()
    assert set(parts) == {"generator", "encoder", "view_encoder"}
    content = parts["encoder"](images)["content"]
    np.testing.assert_allclose(parts["generator"]([content, views]), expected, atol=1)


def test_unusable_networks_are_refused():
    with pytest.raises(ValueError, match="`encoder` must give codes of 3"):
        CGMV(code_encoder(5), decoder(), discriminator())
    with pytest.raises(ValueError, match="`view_noise` must be in 0..1"):
        cgmv(view_noise=2.0)
    with pytest.raises(ValueError, match="view_encoder"):
        CGMV(code_encoder(CONTENT), decoder(), discriminator(), code_encoder(5))
    with pytest.raises(ValueError, match="copied_share"):
        cgmv(copied_share=1.5)
    with pytest.raises(ValueError, match="`label_smoothing` must be from 0 to below 1"):
        gmv(extension=True, label_smoothing=1.0)
    with pytest.raises(ValueError, match="two codes"):
        GMV(decoder((CONTENT,)), discriminator())
