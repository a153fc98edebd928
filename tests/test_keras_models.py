"""Damaged files of saved models: one error, with the name of the file and the way out."""

import io
import re
import zipfile

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dtl.keras_models import read_model
from keras_dtl.methods import load_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(path)
    return path


def changed(path, member, content):
    """Return the bytes of an archive that is whole, with another content of a member."""
    file = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            data = content(old.read(name)) if name == member else old.read(name)
            if data is not None:
                new.writestr(name, data)
    return file.getvalue()


def refused(path, data):
    damaged = path.with_name("damaged.keras")
    damaged.write_bytes(data)
    with pytest.raises(ValueError, match=re.escape(str(damaged))) as error:
        load_model(damaged)
    assert str(error.value).rstrip().endswith("Train or fetch it again.")


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
@pytest.mark.parametrize(
    "content",
    [lambda data: None, lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"{}"],
    ids=["missing", "empty", "half", "other"],
)
def test_members_that_are_damaged(saved, member, content):
    """They were a KeyError of zipfile, an OSError of HDF5 or a JSONDecodeError without a name."""
    refused(saved, changed(saved, member, content))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_cut_files_and_turned_bytes(saved, data):
    whole = saved.read_bytes()
    refused(saved, whole[: data.draw(st.integers(0, len(whole) - 30))])
    with zipfile.ZipFile(saved) as file:
        start = file.getinfo("model.weights.h5").header_offset + 60
    place = data.draw(st.integers(start, start + 4000))
    refused(saved, whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])


def test_what_is_whole_is_read(saved):
    assert read_model(saved).input_shape == (None, 4)


def test_what_the_system_refuses_stays_its_own_error(saved, monkeypatch):
    def refuse(*arguments, **named):
        raise PermissionError(13, "Permission denied", str(saved))

    monkeypatch.setattr(keras.saving, "load_model", refuse)
    with pytest.raises(PermissionError):
        read_model(saved)
