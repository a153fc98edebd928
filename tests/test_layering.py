"""Who may import whom, read from the code itself."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOT_MODULES = {"__main__", "bvh", "files", "images", "manifest", "motion", "version"}
MAY_IMPORT = {
    "layers": set(),
    "distribution": {"layers"},
    "losses": set(),
    "callbacks": {"distribution"},
    "data": set(),
    "evaluation": {"backbones", "data", "methods"},  # to become a leaf
    "convert": set(),
    "export": {"layers"},
    "backbones": {"layers"},
    "methods": {"distribution", "layers", "losses"},
    "recipes": {
        *("backbones", "callbacks", "data", "distribution", "evaluation", "export", "layers"),
        "methods",
    },
    "cli": {
        *("backbones", "convert", "data", "distribution", "evaluation", "export", "layers"),
        *("methods", "recipes"),
    },
}
WITHOUT_TENSORFLOW = ("bvh", "convert", "files", "images", "manifest", "motion", "version")


def imported(path):
    """Return the dotted names that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def rooms_of(path):
    parts = [name.split(".") for name in imported(path) if name.startswith("keras_dtl.")]
    return {part[1] for part in parts}


def files_of(room):
    return sorted((ROOT / "keras_dtl" / room).rglob("*.py"))


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_room_imports_only_what_it_may(room):
    allowed = MAY_IMPORT[room] | ROOT_MODULES | {room}
    assert files_of(room), f"no such room: {room}"
    for path in files_of(room):
        assert rooms_of(path) <= allowed, path


def test_every_room_is_listed():
    folders = {path.parent.name for path in (ROOT / "keras_dtl").glob("*/__init__.py")}
    assert folders == set(MAY_IMPORT)


@pytest.mark.parametrize("name", WITHOUT_TENSORFLOW)
def test_conversion_side_never_names_tensorflow(name):
    paths = files_of(name) or [ROOT / "keras_dtl" / f"{name}.py"]
    for path in paths:
        roots = {imported_name.split(".")[0] for imported_name in imported(path)}
        assert not roots & {"tensorflow", "keras", "tf2onnx", "tensorflow_datasets"}, path
