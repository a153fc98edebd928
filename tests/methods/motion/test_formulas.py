"""One step of each method of motion, its losses computed a second time in NumPy."""

import numpy as np
import tensorflow as tf

from keras_dtl.methods.motion import sequential_autoencoder
from tests.methods.motion.test_motion_methods import SCALE, autoencoder, batch, transfer


def normal(motion):
    return (np.asarray(motion, "float64") - SCALE[0]) / SCALE[1]


def run(network, *inputs):
    """Return what a network makes of arrays, as arrays of double precision."""
    inputs = [tf.constant(x, "float32") for x in inputs]
    made = network(inputs[0] if len(inputs) == 1 else inputs, training=True)
    return tf.nest.map_structure(lambda x: np.asarray(x, "float64"), made)


def crossentropy(labels, logits):
    shifted = logits - logits.max(1, keepdims=True)
    log_shares = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return -log_shares[np.arange(len(labels)), labels].mean()


def entropy(logits):
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    return -(shares * np.log(shares)).sum(1).mean()


def steps(motion):
    return motion[:, 1:] - motion[:, :-1]


def agrees(logs, expected):
    for name, value in expected.items():
        np.testing.assert_allclose(float(logs[name]), value, rtol=1e-4, atol=1e-5, err_msg=name)


def realism(judged, style, action):
    """Return the judgement of each frame as one of the style and one of the action."""
    styles = judged["style"].shape[1]
    return np.stack(
        [real[:, s] + real[:, styles + a] for real, s, a in zip(judged["real"], style, action)]
    )


def test_terms_of_the_transfer_of_style():
    weights = {
        "reconstruction_weight": 5.0,
        "velocity_weight": 4.0,
        "adversarial_weight": 3.0,
        "label_weight": 2.0,
        "cycle_weight": 1.5,
        "style_weight": 0.5,
        "entropy_weight": 0.25,
    }
    model = transfer(real_penalty_weight=0.0, **weights)
    motion, style, action = (np.asarray(part) for part in batch(9))
    x, other = normal(motion), np.roll(style, 1)
    codes, own = run(model.content_encoder, x), run(model.style_encoder, x)

    def decoded(codes, style):
        return run(model.decoder, codes, style)[:, :9]

    rebuilt, made = decoded(codes, own), decoded(codes, np.roll(own, 1, 0))
    back = decoded(run(model.content_encoder, made), own)
    judged, real = run(model.critic, made), run(model.critic, x)
    terms = {
        "reconstruction_loss": np.abs(rebuilt - x).mean(),
        "velocity_loss": ((steps(rebuilt) - steps(x)) ** 2).mean(),
        "adversarial_loss": -realism(judged, other, action).mean(),
        "label_loss": crossentropy(other, judged["style"]) + crossentropy(action, judged["action"]),
        "cycle_loss": np.abs(back - x).mean(),
        "style_loss": crossentropy(style, run(model.style_classifier, own)),
        "content_entropy": entropy(run(model.content_classifier, codes)),
    }
    loss = 5 * (terms["reconstruction_loss"] + 4 * terms["velocity_loss"])
    loss += 3 * terms["adversarial_loss"] + 2 * terms["label_loss"] + 1.5 * terms["cycle_loss"]
    loss += 0.5 * terms["style_loss"] - 0.25 * terms["content_entropy"]
    hinge = np.maximum(1 - realism(real, style, action), 0).mean()
    hinge += np.maximum(1 + realism(judged, other, action), 0).mean()
    critic = 0.5 * hinge + crossentropy(style, real["style"]) + crossentropy(action, real["action"])
    right = run(model.content_classifier, codes).argmax(1) == style
    totals = {"loss": loss, "critic_loss": critic, "content_accuracy": right.mean()}
    agrees(model.train_step(batch(9)), terms | totals)


def test_terms_of_the_autoencoder(monkeypatch):
    model = autoencoder(num_classes=3, velocity_weight=10.0, adversarial_weight=0.5)
    motion, labels, _ = (np.asarray(part) for part in batch(9))
    draws = np.random.default_rng(1).normal(size=(6, 3)).astype("float32")
    monkeypatch.setattr(sequential_autoencoder, "draw", lambda *_: tf.constant(draws))
    x, told = normal(motion), np.eye(3)[labels]
    codes = run(model.encoder, x)
    joined = np.concatenate([codes, told], 1)
    rebuilt = run(model.decoder, np.repeat(joined[:, None], 9, 1))
    generated = run(model.critic, joined)
    real = run(model.critic, np.concatenate([draws, told], 1))
    terms = {
        "reconstruction_loss": ((rebuilt - x) ** 2).mean(),
        "velocity_loss": ((steps(rebuilt) - steps(x)) ** 2).mean(),
        "adversarial_loss": np.log1p(np.exp(-generated)).mean(),
        "critic_loss": 0.5 * (np.log1p(np.exp(-real)) + np.log1p(np.exp(generated))).mean(),
    }
    loss = terms["reconstruction_loss"] + 10 * terms["velocity_loss"]
    terms["loss"] = loss + 0.5 * terms["adversarial_loss"]
    agrees(model.train_step((tf.constant(motion), tf.constant(labels))), terms)
