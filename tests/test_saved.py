"""Files that version 0.1 wrote: they load, score as they did, and learn on."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_dtl.methods
from keras_dtl.convert import load_artifact

SAVED = Path(__file__).parent / "saved"
BATCHES = {
    "dann": lambda answers: {
        "source": (answers["dann_input"], np.arange(5) % 3),
        "target": answers["dann_input"][::-1].copy(),
    },
    "cyclegan": lambda answers: (answers["cyclegan_input"], answers["cyclegan_input"]),
    "sequence_style_transfer": lambda answers: (
        answers["sequence_style_transfer_content"],
        np.arange(2),
        np.arange(2),
    ),
}


@pytest.fixture(scope="module")
def answers():
    with np.load(SAVED / "answers.npz") as file:
        return dict(file)


def load(name):
    assert keras_dtl.methods.DANN  # registers all methods
    return keras.saving.load_model(SAVED / f"{name}.keras")


def test_classifier_answers_as_it_did(answers):
    received = load("dann")(answers["dann_input"])
    np.testing.assert_allclose(received, answers["dann_output"], atol=1e-5)


def test_generator_answers_as_it_did(answers):
    received = load("cyclegan")(answers["cyclegan_input"])
    np.testing.assert_allclose(received, answers["cyclegan_output"], atol=1e-5)


def test_motion_is_transferred_as_it_was(answers):
    name = "sequence_style_transfer"
    received = load(name)((answers[f"{name}_content"], answers[f"{name}_style"]))
    np.testing.assert_allclose(received, answers[f"{name}_output"], atol=1e-5)


@pytest.mark.parametrize("name", BATCHES)
def test_state_of_training_comes_along(name, answers):
    """Every optimizer has its steps and its moments, and takes the next step from there."""
    model = load(name)
    names = ("optimizer", *model.player_optimizers)
    before = {player: int(getattr(model, player).iterations) for player in names}
    assert all(done > 0 for done in before.values())
    for player in names:
        moments = [v for v in getattr(model, player).variables if v.name.endswith("velocity")]
        if isinstance(getattr(model, player), keras.optimizers.Adam):
            assert moments and any(np.any(v.numpy()) for v in moments)
    if name == "dann":
        assert before["optimizer"] == answers["dann_iterations"]
    weights = model.get_weights()
    logs = model.train_step(tf.nest.map_structure(tf.constant, BATCHES[name](answers)))
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert any((a != b).any() for a, b in zip(weights, model.get_weights(), strict=True))
    for player, done in before.items():
        assert int(getattr(model, player).iterations) == done + 1


def test_artifact_answers_as_it_did(answers):
    received = load_artifact(SAVED / "dann")(answers["dann_input"])
    np.testing.assert_allclose(received, answers["artifact_output"], atol=1e-5)
