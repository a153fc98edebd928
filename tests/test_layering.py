"""Who may import whom, and whose private names are used, read from the code itself."""

import ast
import functools
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "keras_dtl"
ROOT_MODULES = {path.stem for path in PACKAGE.glob("*.py")}
GROUND = ROOT_MODULES | {"images", "motion"}
"""What every room may import; a room of the ground may import nothing else."""
MAY_IMPORT = {
    "images": set(),
    "motion": set(),
    "layers": set(),
    "distribution": {"layers"},
    "losses": set(),
    "callbacks": {"distribution", "layers"},
    "data": set(),
    "evaluation": set(),
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
WITHOUT_TENSORFLOW = (
    "addresses",
    "bvh",
    "card",
    "confusion",
    "convert",
    "files",
    "folders",
    "hub",
    "images",
    "manifest",
    "manifest_values",
    "motion",
    "page",
    "renamed",
    "version",
)


@functools.cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def imported(path):
    """Return the dotted names that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(tree_of(path)):
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
    return sorted((PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_room_imports_only_what_it_may(room):
    allowed = MAY_IMPORT[room] | GROUND | {room}
    assert files_of(room), f"no such room: {room}"
    for path in files_of(room):
        assert rooms_of(path) <= allowed, path


def test_every_room_is_listed():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders == set(MAY_IMPORT)


@pytest.mark.parametrize("name", WITHOUT_TENSORFLOW)
def test_conversion_side_never_names_tensorflow(name):
    paths = files_of(name) or [PACKAGE / f"{name}.py"]
    for path in paths:
        roots = {imported_name.split(".")[0] for imported_name in imported(path)}
        assert not roots & {"tensorflow", "keras", "tf2onnx", "tensorflow_datasets"}, path


@functools.cache
def imports_among_ourselves():
    """Return `{module: the modules of the package that it imports}`, wherever in its file."""
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }
    graph = {}
    for module, path in files.items():
        names = imported(path)
        # `from package import module` names a module, and `from module import name` does not.
        packages = {name.rpartition(".")[0] for name in names if name in files}
        graph[module] = {name for name in names if name in files} - (packages - _used(path, files))
    return graph


def _used(path, files):
    """Return the modules of which a file takes more than the modules in them."""
    return {
        node.module
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom)
        and any(f"{node.module}.{alias.name}" not in files for alias in node.names)
    } | {
        alias.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Import)
        for alias in node.names
    }


def folder_of(module):
    """Return the folder of a room that a module lies in, or the module where it lies in none."""
    return ".".join(module.split(".")[:3])


def imports_among_folders():
    """Return `imports_among_ourselves`, where each folder of a room stands for what is in it."""
    graph = {}
    for module, names in imports_among_ourselves().items():
        others = {folder_of(name) for name in names} - {folder_of(module)}
        graph.setdefault(folder_of(module), set()).update(others)
    return graph


@pytest.mark.parametrize("imports", [imports_among_ourselves, imports_among_folders])
def test_no_import_runs_in_a_circle(imports):
    graph = imports()
    assert any("keras_dtl.layers" in graph[name] for name in graph if "methods.adaptation" in name)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1][::-1])}")


LONG = {
    # (file): why it is over 300 lines
    "keras_dtl/methods/separation/swap_vae.py": "one paper's method, in reading order",
    "keras_dtl/convert/engines/run.py": "the stages of one conversion, which share its state",
    "keras_dtl/manifest.py": "what an artifact says of itself: fields, reading and checksums",
    "scripts/benchmarks/pacs_end_to_end.py": "one experiment, its networks and its augmentation",
}


def test_long_files_have_a_reason():
    paths = [*PACKAGE.rglob("*.py"), *(ROOT / "scripts").rglob("*.py")]
    lines = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n")
        for path in paths
    }
    assert {path for path, count in lines.items() if count > 300} == set(LONG)
