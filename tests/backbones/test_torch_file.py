"""Files of PyTorch, read without PyTorch and without executing anything."""

import pickle
import zipfile

import numpy as np
import pytest

from keras_dtl.backbones.torch_file import TorchFileError, read_torch_file
from tests.torch_files import fake_torch, state_dict, write_archive, write_old_file

WRITERS = {"archive": write_archive, "old": write_old_file}
ARRAYS = {
    "a.weight": np.arange(24, dtype="float32").reshape(2, 3, 4),
    "a.bias": np.array([0.5, 2], "float16"),
    "a.num_batches_tracked": np.array(7),
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes arrays and views of them by one of the writers."""

    def write(kind, arrays=ARRAYS, views=()):
        with monkeypatch.context() as while_writing:
            value = state_dict(arrays, *fake_torch(while_writing), views)
            WRITERS[kind](tmp_path / "net.pth", *value)
        return tmp_path / "net.pth"

    return write


@pytest.mark.parametrize("kind", WRITERS)
def test_arrays_are_those_that_were_saved(write, kind):
    found = read_torch_file(write(kind))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


@pytest.mark.parametrize("kind", WRITERS)
def test_views_are_followed(write, kind):
    views = {"row": ("a.weight", 4, (4,), (1,)), "turned": ("a.weight", 0, (4, 3), (1, 4))}
    found = read_torch_file(write(kind, views=views))
    np.testing.assert_array_equal(found["row"], ARRAYS["a.weight"][0, 1])
    np.testing.assert_array_equal(found["turned"], ARRAYS["a.weight"][0].T)
    found["row"][:] = -1  # its own numbers
    assert found["a.weight"].min() == 0


@pytest.mark.parametrize(
    "view",
    [(21, (4,), (1,)), (0, (2, 3), (20, 3)), (-1, (2,), (1,)), (0, (2,), (-1,)), (0, (99,), (0,))],
)
def test_a_view_beyond_its_numbers_is_refused(write, view):
    with pytest.raises(TorchFileError, match="reaches beyond|has the shape"):
        read_torch_file(write("archive", views={"x": ("a.weight", *view)}))


@pytest.mark.parametrize("kind", WRITERS)
def test_the_end_is_missed(write, kind):
    path = write(kind)
    path.write_bytes(path.read_bytes()[:-200] if kind == "archive" else path.read_bytes()[:-3])
    with pytest.raises(TorchFileError, match=r"net\.pth"):
        read_torch_file(path)


class Command:
    """Unpickled by `pickle`, it would make a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        import os

        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("kind", WRITERS)
def test_what_a_pickle_would_do_is_not_done(tmp_path, kind):
    victim = tmp_path / "victim"
    WRITERS[kind](tmp_path / "net.pth", {"a.weight": Command(victim)}, [])
    with pytest.raises(TorchFileError, match="mkdir, which is not executed here"):
        read_torch_file(tmp_path / "net.pth")
    assert not victim.exists()


def test_other_things_than_weights_are_named(tmp_path, write):
    path = tmp_path / "other.pth"
    write_archive(path, {"epoch": 3}, [])
    with pytest.raises(TorchFileError, match=r"something else than named arrays.*state_dict\(\)"):
        read_torch_file(path)
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(TorchFileError, match="does not begin like a file that PyTorch saved"):
        read_torch_file(path)
    for content in (b"", b"PK\x03\x04", b"\x80\x05no pickle", np.random.default_rng(0).bytes(999)):
        path.write_bytes(content)
        with pytest.raises(TorchFileError, match="is no file of weights that PyTorch saved"):
            read_torch_file(path)


def test_an_archive_that_unfolds_is_not_read(tmp_path, write):
    with (
        zipfile.ZipFile(write("archive")) as old,
        zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(TorchFileError, match="compressed"):
        read_torch_file(tmp_path / "bomb.pth")
