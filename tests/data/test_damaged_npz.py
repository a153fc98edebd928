"""A damaged file of arrays is one error with its name, whatever the readers make of it."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dtl.data.npz import load_npz


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_only_value_error_escapes_a_damaged_file(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "images.npz"
    images = np.zeros((10, 4, 4), "uint8")
    np.savez_compressed(path, x=images, y=np.arange(10) % 2)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(ValueError):
        load_npz(f"{path}:y")


def test_the_error_names_the_file(tmp_path):
    path = tmp_path / "images.npz"
    np.savez_compressed(path, x=np.zeros((10, 4, 4), "uint8"), y=np.arange(10) % 2)
    content = bytearray(path.read_bytes())
    content[8] = 99  # a way of compression that nobody knows
    content[content.index(b"PK\x01\x02") + 10] = 99
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"images\.npz cannot be read"):
        load_npz(f"{path}:y")
