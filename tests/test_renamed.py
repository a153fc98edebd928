"""Former names give what took their place, and say so."""

import importlib
import sys

import pytest

import keras_dtl.data
import keras_dtl.motion


@pytest.mark.parametrize(
    ("module", "former", "name"),
    [
        (keras_dtl.data, "endless", "endless_batches"),
        (keras_dtl.data, "in_order", "ordered_batches"),
        (keras_dtl.motion, "mirrored", "mirror_motion"),
    ],
)
def test_former_names_answer_with_a_warning(module, former, name):
    with pytest.warns(DeprecationWarning, match=f"{former} is called {name} since"):
        assert getattr(module, former) is getattr(module, name)
    assert former not in dir(module)
    with pytest.raises(AttributeError, match="no attribute 'endles'"):
        module.endles  # noqa: B018


def test_a_former_module_answers_with_a_warning():
    sys.modules.pop("keras_dtl.bvh", None)
    with pytest.warns(DeprecationWarning, match="part of keras_dtl.motion"):
        former = importlib.import_module("keras_dtl.bvh")
    assert former.read_bvh is keras_dtl.motion.read_bvh
