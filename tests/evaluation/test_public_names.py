"""What `keras_dtl.evaluation` offers says what it takes."""

import inspect

import pytest

from keras_dtl import evaluation
from keras_dtl.evaluation import figures

NAMES = [(module, name) for module in (evaluation, figures) for name in module.__all__]
FUNCTIONS = [
    getattr(module, name) for module, name in NAMES if inspect.isfunction(getattr(module, name))
]


def test_there_are_functions():
    assert len(FUNCTIONS) > 50


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_arguments_are_described_and_hinted(function):
    parameters = inspect.signature(function).parameters.values()
    _, _, described = inspect.getdoc(function).partition("Args:")
    for parameter in parameters:
        assert parameter.name in described, parameter.name
    hinted = [p.name for p in parameters if p.annotation is not p.empty]
    # Objects of no class of this room, such as windows of motion and models, have no hint.
    free = {"model", "test", "held_out", "windows", "examples", "inputs", "batches"}
    assert {p.name for p in parameters} - set(hinted) <= free
