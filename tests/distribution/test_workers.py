"""Two processes on the loopback address, one core each, against one process."""

import numpy as np
import pytest

from tests.distribution.processes import ends_of, start_workers
from tests.distribution.trainings import TRAININGS, examples, train


def workers_learn(folder, *names):
    """Check what two processes leave of trainings, and return the chief's findings."""
    for status, _, errors in ends_of(start_workers("tests.distribution.worker", folder, *names)):
        assert status == 7, errors  # the chief's
    found = [np.load(folder / f"{index}.npz") for index in range(2)]
    for name in names:
        alone, logs = train(name)
        for index, expected in enumerate(alone.get_weights()):
            ours, theirs = (worker[f"{name}/{index}"] for worker in found)
            np.testing.assert_array_equal(ours, theirs)
            np.testing.assert_allclose(ours, expected, atol=1e-5, err_msg=name)
        for term, values in logs.items():
            of_workers = [worker[f"{name}/logs/{term}"] for worker in found]
            np.testing.assert_array_equal(*of_workers)
            np.testing.assert_allclose(of_workers[0], values, rtol=1e-3, atol=1e-4)
    assert [str(worker["received"]) for worker in found] == ["written by 0"] * 2
    assert [str(worker["none"]) for worker in found] == ["None"] * 2
    return found[0]


@pytest.mark.slow
def test_two_processes_learn_evaluate_and_predict_what_one_does(tmp_path):
    found = workers_learn(tmp_path, "dann")
    alone, _ = train("dann")
    test = examples(5, 11)  # the last batch cannot be divided
    answers = alone.evaluate(test.images, test.labels, 4, verbose=0, return_dict=True)
    np.testing.assert_allclose(found["evaluated"], list(answers.values()), rtol=1e-5)
    np.testing.assert_allclose(found["predicted"], alone.predict(test.images, verbose=0), atol=1e-5)


OTHERS = [name for name in TRAININGS if name != "dann"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("names", [OTHERS[i::3] for i in range(3)], ids=" ".join)
def test_two_processes_learn_what_one_does_by_every_method(tmp_path, names):
    workers_learn(tmp_path, *names)
