import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "scripts" / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """Return a function from a benchmark's name to its module, as its command imports it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:  # `motion` is a name that others may bear, too
        if getattr(sys.modules[name], "__file__", None) and (FOLDER / f"{name}.py").exists():
            del sys.modules[name]
