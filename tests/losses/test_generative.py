import numpy as np
import pytest
import tensorflow as tf

from keras_dtl.losses import adversarial_loss, gradient_penalty, real_gradient_penalty

REAL = np.array([[2.0, -1.0], [0.5, 3.0]], "float32")
FAKE = np.array([[-2.0, 0.25], [1.5, -0.5]], "float32")


def log_sigmoid(x):
    return -np.log1p(np.exp(-x.astype("float64")))


EXPECTED = {
    "vanilla": (
        -0.5 * (log_sigmoid(REAL).mean() + log_sigmoid(-FAKE).mean()),
        -log_sigmoid(FAKE).mean(),
    ),
    "least_squares": (
        0.5 * (((REAL - 1) ** 2).mean() + (FAKE**2).mean()),
        ((FAKE - 1) ** 2).mean(),
    ),
    "hinge": (
        0.5 * (np.maximum(0, 1 - REAL).mean() + np.maximum(0, 1 + FAKE).mean()),
        -FAKE.mean(),
    ),
    "wgan_gp": (FAKE.mean() - REAL.mean(), -FAKE.mean()),
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_losses_are_the_formulas(name):
    game = adversarial_loss(name)
    of_discriminator, of_generator = EXPECTED[name]
    assert float(game.discriminator(REAL, FAKE)) == pytest.approx(of_discriminator, rel=1e-5)
    assert float(game.generator(FAKE)) == pytest.approx(of_generator, rel=1e-5)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_players_pull_apart(name):
    """The discriminator wants low logits for generated images, the generator high ones."""
    game, logits = adversarial_loss(name), tf.Variable(0.5 * tf.ones_like(FAKE))
    with tf.GradientTape(persistent=True) as tape:
        of_discriminator = game.discriminator(tf.zeros_like(REAL), logits)
        of_generator = game.generator(logits)
    assert tf.reduce_sum(tape.gradient(of_discriminator, logits)) > 0
    assert tf.reduce_sum(tape.gradient(of_generator, logits)) < 0


def test_sure_discriminator_keeps_a_finite_loss_and_slope_in_half_precision():
    logits = tf.Variable(np.full((2, 2), -200.0, "float16"))
    with tf.GradientTape() as tape:
        loss = adversarial_loss("vanilla").generator(logits)
    assert (float(loss), loss.dtype) == (200.0, "float32")
    np.testing.assert_allclose(tape.gradient(loss, logits), -0.25)


def test_penalty_of_a_linear_critic_is_known():
    """Its slope is its weights everywhere, whatever the examples are."""
    weights = tf.Variable([[3.0], [4.0]])
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(2, 5, 2)).astype("float32")
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(lambda x: x @ weights, real, fake, np.linspace(0, 1, 5))
    assert float(penalty) == pytest.approx((5 - 1) ** 2, rel=1e-5)
    # d (|w| - 1)^2 / dw = 2 (|w| - 1) w / |w|
    np.testing.assert_allclose(tape.gradient(penalty, weights), [[4.8], [6.4]], rtol=1e-5)


def test_penalty_is_taken_on_the_line_between_the_examples():
    seen = []

    def critic(x):
        seen.append(x.numpy())
        return tf.reduce_sum(x**2, [1, 2, 3])

    real, fake = np.ones((2, 1, 1, 3), "float32"), -np.ones((2, 1, 1, 3), "float32")
    gradient_penalty(critic, real, fake, [0.25, 1.0])
    np.testing.assert_allclose(seen[0][:, 0, 0], [[-0.5] * 3, [1.0] * 3])


def test_flat_critic_gives_no_nan():
    weights = tf.Variable([[0.0], [0.0]])
    x = np.ones((2, 2), "float32")
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(lambda x: x @ weights, x, x, [0.5, 0.5])
    assert np.isfinite(tape.gradient(penalty, weights)).all()


def test_unknown_game_is_refused():
    with pytest.raises(ValueError, match="least_squares"):
        adversarial_loss("lsgan")


def test_other_targets_are_crossentropies_towards_them():
    game = adversarial_loss("vanilla", 0.9, 0.1)
    real, generated = np.array([[2.0], [-1.0]]), np.array([[0.5], [3.0]])

    def crossentropy(logits, target):
        p = 1 / (1 + np.exp(-logits))
        return -np.mean(target * np.log(p) + (1 - target) * np.log(1 - p))

    expected = 0.5 * (crossentropy(real, 0.9) + crossentropy(generated, 0.1))
    np.testing.assert_allclose(game.discriminator(real, generated), expected, rtol=1e-6)
    np.testing.assert_allclose(game.generator(generated), crossentropy(generated, 0.9), rtol=1e-6)
    with pytest.raises(ValueError, match="vanilla"):
        adversarial_loss("hinge", 0.9)


def test_real_penalty_is_the_squared_slope_of_a_line():
    slope = np.array([[3.0], [4.0]], "float32")
    real = [tf.ones((5, 2)), tf.ones((5, 1))]
    with tf.GradientTape() as tape:
        tape.watch(real)
        logits = real[0] @ slope + 2 * real[1]
    judged = real_gradient_penalty(tape, logits, real)
    np.testing.assert_allclose(judged, 0.5 * (9 + 16 + 4))
