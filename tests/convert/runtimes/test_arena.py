"""The region of memory that sessions for images of any size share."""

import subprocess
import sys

import pytest

from keras_dtl.convert.runtimes import arena

LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (2**34, resource.RLIM_INFINITY))
from keras_dtl.convert.runtimes.arena import _reserve
print(_reserve())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="addresses take memory there")
def test_no_region_is_taken_where_addresses_are_limited():
    """The runtime takes what it gets of them, and leaves none for anything else."""
    found = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True)
    assert found.stdout.split() == ["False"], found.stderr


def test_no_region_is_taken_where_addresses_are_memory(monkeypatch):
    monkeypatch.setattr(arena.sys, "platform", "win32")
    assert not arena._addresses_are_free()


@pytest.mark.parametrize(("any_size", "entries"), [(True, 1), (False, 0)])
def test_sessions_for_images_of_any_size_take_from_the_region(any_size, entries, monkeypatch):
    from keras_dtl.convert.runtimes import providers

    taken = []
    monkeypatch.setattr(providers, "take_one_region", taken.append)
    monkeypatch.setattr("onnxruntime.InferenceSession", _Opened)
    providers.open_session("any.onnx", providers.Session("cpu"), any_size=any_size)
    assert len(taken) == entries


class _Opened:
    def __init__(self, *arguments, **named):
        pass

    def disable_fallback(self):
        pass

    def get_providers(self):
        return ["CPUExecutionProvider"]
