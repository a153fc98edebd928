"""Workers on a Ray cluster of this machine."""

import json

import numpy as np
import pytest

from keras_dtl.recipes import RECIPES
from tests.cli.test_train import run_verb, training, write_domain


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_workers_on_ray_learn_what_one_process_does(tmp_path):
    pytest.importorskip("ray")
    from keras_dtl.recipes.runs import run_model

    write_domain(tmp_path / "source", 0, 0)
    write_domain(tmp_path / "target", 1, 60)
    ways = {"alone": (), "ray": ("--engine", "ray", "--workers", "2")}
    for name, words in ways.items():
        answer = run_verb(*training(tmp_path, tmp_path / name, *words))
        assert answer.returncode == 0, answer.stderr + answer.stdout
    ours, theirs = (run_model(tmp_path / name / "run").get_weights() for name in ways)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    assert (tmp_path / "ray/artifact/manifest.json").exists()
    scores = json.loads((tmp_path / "ray/run/scores.json").read_text())
    assert scores["target"]["accuracy"] > 0.5


@pytest.mark.parametrize(("workers", "message"), [("a:1,b:2", "number"), ("9", "no place for 9")])
def test_workers_that_a_cluster_cannot_have_are_refused(workers, message):
    from keras_dtl.cli.ray_training import _actors

    class Cluster:
        def cluster_resources(self):
            return {"CPU": 2.0}

        def nodes(self):
            return [{"Alive": True}]

    with pytest.raises(ValueError, match=message):
        _actors(Cluster(), RECIPES["dann"](workers=workers))


def test_a_training_that_failed_is_no_success_on_ray_either():
    from keras_dtl.cli.ray_training import _first_failure

    class Ray:
        def wait(self, waiting, num_returns):
            return waiting[:num_returns], waiting[num_returns:]

        def get(self, done):
            return done

    assert _first_failure(Ray(), [0, 2, 0]) == 2
    assert _first_failure(Ray(), [0, 0]) == 0
