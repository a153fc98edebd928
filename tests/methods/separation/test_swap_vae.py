import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_dtl.distribution import share_batches
from keras_dtl.losses import paired_contrast
from keras_dtl.methods import SwapVAE
from keras_dtl.methods.separation import separation
from keras_dtl.methods.separation.separation import call_frozen
from tests.networks import dense

SIZE = (8, 8, 1)
CONTENT, STYLE, CLASSES = 3, 2, 4


def encoder(style=STYLE):
    image = keras.Input(SIZE)
    x = layers.Flatten()(image)
    codes = [layers.Dense(n, name=f"code_{i}")(x) for i, n in enumerate((CONTENT, style, style))]
    return keras.Model(image, codes)


def decoder(inputs=(CONTENT, STYLE)):
    codes = [keras.Input((n,), name=k) for n, k in zip(inputs, ("content", "style"), strict=False)]
    x = layers.Concatenate()(codes) if len(codes) > 1 else codes[0]
    x = layers.Dense(64, activation="tanh")(x)
    return keras.Model(codes, layers.Reshape(SIZE)(x))


def discriminator(adversary="pair", activation=None):
    first = keras.Input(SIZE)
    second = keras.Input(SIZE) if adversary == "pair" else keras.Input((), dtype="int32")
    other = layers.Flatten()(second) if adversary == "pair" else layers.Embedding(4, 3)(second)
    x = layers.Concatenate()([layers.Flatten()(first), other])
    return keras.Model([first, second], layers.Dense(1, activation=activation)(x))


def swap_vae(adversary="pair", mode="faithful", **kwargs):
    judge = dense(CLASSES, STYLE, name="latent") if mode == "leak_free" else None
    return SwapVAE(
        encoder(), decoder(), discriminator(adversary), judge, adversary=adversary, mode=mode,
        **kwargs,
    )  # fmt: skip


def compiled(model, rate=0.01):
    players = {name: keras.optimizers.SGD(rate) for name in model.player_optimizers}
    model.compile(keras.optimizers.SGD(rate), **players)
    return model


def batch(count=6, seed=0):
    random = np.random.default_rng(seed)
    images = {
        name: tf.constant(random.integers(0, 256, (count, *SIZE), dtype="uint8"))
        for name in ("first", "second", "other")
    }
    label, other = (tf.constant(random.integers(0, CLASSES, count), "int32") for _ in range(2))
    return {**images, "label": label, "other_label": other}


def labels_of(data):
    return [data[name] for name in ("label", "label", "other_label")]


def moved(network, start):
    return any((a != b).any() for a, b in zip(network.get_weights(), start, strict=True))


@pytest.mark.parametrize("adversary", ["class", "pair"])
@pytest.mark.parametrize("mode", ["faithful", "leak_free"])
def test_step_reports_every_term_and_moves_every_player(adversary, mode):
    model = compiled(swap_vae(adversary, mode, gate=1.0))
    players = [model.encoder, model.decoder, model.discriminator]
    players += [model.latent_classifier] if mode == "leak_free" else []
    starts = [network.get_weights() for network in players]
    logs = model.train_step(batch())
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert float(logs["loss"]) > 0.5 * float(logs["reconstruction"])
    assert float(logs["reconstruction"]) > 0 and float(logs["swap"]) > 0
    of_leaks = {"confusion", "discrepancy", "reverse_cycle", "contrast", "latent_accuracy"}
    assert of_leaks & set(logs) == (of_leaks if mode == "leak_free" else set())
    for network, start in zip(players, starts, strict=True):
        assert moved(network, start), network.name


def test_terms_are_those_of_numpy():
    model = swap_vae()
    data = batch()
    images = [tf.cast(data[name], "float32") / 127.5 - 1 for name in ("first", "second", "other")]
    contents, styles, _ = model.codes(images)
    terms, crossed = model.exchange(images, contents, styles)

    def drawn(style, content):
        return model.decoder([contents[content], styles[style]]).numpy()

    x = [image.numpy() for image in images]
    rebuilt = sum(np.mean((drawn(i, i) - x[i]) ** 2) for i in range(3))
    swap = np.mean((drawn(0, 1) - x[0]) ** 2) + np.mean((drawn(1, 0) - x[1]) ** 2)
    np.testing.assert_allclose(terms["reconstruction"], rebuilt, rtol=1e-5)
    np.testing.assert_allclose(terms["swap"], swap, rtol=1e-5)
    np.testing.assert_allclose(crossed[0], drawn(2, 1), atol=1e-6)
    np.testing.assert_allclose(crossed[1], drawn(1, 2), atol=1e-6)
    total = model.total(
        {**terms, "adversarial": tf.constant(2.0), "divergence": tf.constant(3.0)}, images[0]
    )
    expected = 0.5 * rebuilt + swap + 0.01 * 2 + 0.6 / 64 * 3
    np.testing.assert_allclose(total, expected, rtol=1e-5)


def test_reverse_cycle_and_contrast_are_those_of_the_style_and_contents_drawn():
    model = swap_vae(mode="leak_free")
    data = batch()
    images = [tf.cast(data[name], "float32") / 127.5 - 1 for name in ("first", "second", "other")]
    contents, styles, _ = model.codes(images)
    labels = labels_of(data)
    crossed = model.exchange(images, contents, styles)[1][0]
    state = np.array(model.random.state)
    found = model.leaks(contents, styles, labels, crossed)
    model.random.state.assign(state)
    drawn = model.noise(contents[0], STYLE)
    read = [model.encoder(model.decoder([c, drawn]))[:2] for c in contents[::2]]
    expected = np.mean([np.abs(style.numpy() - drawn.numpy()) for _, style in read])
    np.testing.assert_allclose(found["reverse_cycle"], expected, rtol=1e-5)
    expected = [
        paired_contrast(contents[0], contents[1], labels[0]),
        paired_contrast(model.encoder(crossed)[0], contents[0], labels[0]),
        paired_contrast(read[1][0], contents[2], labels[2]),
    ]
    np.testing.assert_allclose(found["contrast"], sum(expected), rtol=1e-5)


@pytest.fixture(scope="module")
def reached():
    """Return `{term: which parts receive a gradient of it}`: encoder, decoder, two codes."""
    model, data = swap_vae(mode="leak_free"), batch()
    images = [tf.cast(data[name], "float32") / 127.5 - 1 for name in ("first", "second", "other")]
    with tf.GradientTape(persistent=True) as tape:
        contents, styles, divergence = model.codes(images)
        terms, crossed = model.exchange(images, contents, styles)
        leaks = model.leaks(contents, styles, labels_of(data), crossed[0])
        terms |= {"divergence": divergence, **leaks}
    layers = [model.encoder.get_layer(f"code_{index}") for index in (0, 1)]
    parts = [part.trainable_variables for part in (model.encoder, model.decoder, *layers)]
    return {
        name: [is_any(gradients) for gradients in tape.gradient(value, parts)]
        for name, value in terms.items()
    }


def is_any(gradients):
    return any(g is not None and np.abs(g).max() > 0 for g in gradients)


@pytest.mark.parametrize(
    ("term", "encoder", "decoder"),
    [
        ("swap", True, True),
        ("reconstruction", True, True),
        ("divergence", True, False),
        ("confusion", True, False),
        ("reverse_cycle", True, False),
        ("discrepancy", True, False),
        ("contrast", True, True),
    ],
)
def test_who_receives_which_gradient(reached, term, encoder, decoder):
    assert reached[term][:2] == [encoder, decoder]


def test_the_content_is_not_confused(reached):
    assert reached["confusion"][2:] == [False, True]


def test_the_classifier_of_styles_takes_its_steps_for_each_of_the_encoder():
    model = compiled(swap_vae(mode="leak_free", classifier_steps=3))
    model.train_step(batch())
    assert model.classifier_optimizer.iterations == 3 and model.optimizer.iterations == 1


def test_a_shut_gate_keeps_the_discriminator_and_an_open_one_does_not():
    for gate, expected in ((1e-6, False), (None, True)):
        model = compiled(swap_vae(gate=gate))
        start = model.discriminator.get_weights()
        model.fit(tf.data.Dataset.from_tensors(batch()), verbose=0)
        assert moved(model.discriminator, start) == expected


@pytest.mark.slow
def test_gated_steps_under_xla_are_those_of_the_graph_but_for_what_is_drawn(monkeypatch):
    def even(random, count, shape, seed, groups=1):
        numbers = tf.cast(tf.range(count * math.prod(shape)), "float32")
        return tf.reshape(tf.sin(numbers), (count, *shape))

    monkeypatch.setattr(separation, "draw", even)
    parts = (batch(seed=seed) for seed in range(5))
    stacked = tf.nest.map_structure(lambda *numbers: tf.stack(numbers), *parts)
    data = tf.data.Dataset.from_tensor_slices(stacked)
    models = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(0)
        model = swap_vae(gate=0.6)
        players = {"discriminator_optimizer": keras.optimizers.SGD(0.05)}
        model.compile(keras.optimizers.SGD(0.05), **players, jit_compile=jit_compile)
        model.fit(data, verbose=0)
        models.append(model)
    assert 0 < int(models[0].discriminator_optimizer.iterations) < 5
    for a, b in zip(*(model.variables for model in models), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_replicas_shut_the_gate_together(two_replicas):
    for gate, expected in ((1e-6, False), (1.0, True)):
        with two_replicas.scope():
            model = compiled(swap_vae(gate=gate))
        start = model.discriminator.get_weights()
        model.fit(share_batches(tf.data.Dataset.from_tensors(batch()), two_replicas), verbose=0)
        assert moved(model.discriminator, start) == expected
        assert model.discriminator_optimizer.iterations == int(expected)


def test_a_network_as_it_is_judges_and_learns_nothing():
    network = keras.Sequential([layers.Dense(3), layers.BatchNormalization()])
    inputs = tf.random.normal((8, 2), 5.0)
    expected = network(inputs, training=True)
    kept = [np.array(weight) for weight in network.get_weights()]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        found = call_frozen(network, inputs)
        loss = tf.reduce_sum(found**3)
    of_inputs, *of_weights = tape.gradient(loss, [inputs, *network.trainable_variables])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(of_inputs).max() > 0 and all(gradient is None for gradient in of_weights)
    for before, after in zip(kept, network.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_saved_and_loaded_model_is_the_same(tmp_path):
    model = compiled(swap_vae("class", "leak_free", real_target=0.9, generated_target=0.1))
    model.train_step(batch())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    pair = [batch()["first"], batch()["other"]]
    np.testing.assert_allclose(loaded(pair), model(pair), atol=1e-6)
    assert loaded.get_config()["real_target"] == 0.9 and loaded.mode == "leak_free"
    assert loaded.classifier_optimizer.iterations == 1


def test_deployed_networks_agree_with_the_method():
    model = swap_vae()
    first, other = batch()["first"], batch()["other"]
    expected = np.clip(np.round((model([first, other]).numpy() + 1) * 127.5), 0, 255)
    np.testing.assert_allclose(model.deployable()([first, other]), expected, atol=1)
    parts = model.parts()
    codes, others = parts["encoder"](first), parts["encoder"](other)
    drawn = parts["decoder"]([codes["content"], others["style"]])
    np.testing.assert_allclose(drawn, expected, atol=1)
    same = tf.repeat(other[:1], len(first), 0)
    fixed = model.in_style_of(other[0].numpy())(first)
    np.testing.assert_allclose(fixed, model.deployable()([first, same]), atol=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"adversary": "image"}, "adversary"),
        ({"mode": "leaky"}, "mode"),
        ({"mode": "leak_free"}, "latent_classifier"),
        ({"latent_classifier": dense(CLASSES, STYLE)}, "latent_classifier"),
        ({"classifier_steps": 0}, "classifier_steps"),
        ({"encoder": encoder(5)}, "sizes"),
        ({"decoder": decoder((CONTENT,))}, "two codes"),
        ({"discriminator": discriminator(activation="sigmoid")}, "logits"),
        ({"gate": 0.0}, "gate"),
        ({"real_target": 0.1, "generated_target": 0.9}, "generated < real"),
    ],
)
def test_unusable_arguments_are_refused(arguments, message):
    networks = {"encoder": encoder(), "decoder": decoder(), "discriminator": discriminator()}
    with pytest.raises(ValueError, match=message):
        SwapVAE(**{**networks, **arguments})
