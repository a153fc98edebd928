"""Which private names of other packages are used, and why each must be."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import keras

import keras_dtl

PACKAGE = Path(keras_dtl.__file__).parent
OF_PYTHON = {
    "_replace",
    "_asdict",
    "_fields",
    "_make",
    "_exit",
}  # of named tuples and of os, documented
ALLOWED = {
    # (file below keras_dtl, name): reason
    ("cli/repeatable.py", "_default_vspace"): "how TensorFlow sums gradients, said nowhere else",
    ("distribution/steps.py", "_symbolic_build"): "Keras builds the metrics of compile only there",
    ("export/heads.py", "_inbound_nodes"): "Keras tells nowhere else what a layer was given",
    ("export/heads.py", "_keras_history"): "nor which layer made a model's output",
    ("methods/averages.py", "_trainable_variables"): "what its averages are of, in order",
    ("methods/optimizers.py", "_get_variable_index"): "Keras' way for the step of an optimizer",
    ("methods/optimizers.py", "_trainable_variables"): "which variable that step moves",
    ("methods/optimizers.py", "_momentums"): "Adam's state, which its fused step updates",
    ("methods/optimizers.py", "_velocities"): "Adam's state, which its fused step updates",
}


def private(name):
    return name.startswith("_") and not name.startswith("__")


def trees():
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}


def names_of_our_own(tree):
    """Yield the private names that a file itself gives to functions, classes and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr


def foreign_names(tree, ours):
    """Yield the private names that a file takes from what is not ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield from {node.attr} - ours
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "hasattr"):
            texts = {n.value for n in node.args if isinstance(n, ast.Constant)}
            yield from {text for text in texts if isinstance(text, str)} - ours
        elif isinstance(node, ast.ImportFrom) and not node.module.startswith("keras_dtl"):
            yield from (part for part in node.module.split("."))
            yield from (alias.name for alias in node.names)


def test_private_names_of_others_are_those_of_the_table():
    files = trees()
    ours = {name for tree in files.values() for name in names_of_our_own(tree)}
    found = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path, tree in files.items()
        for name in foreign_names(tree, ours)
        if private(name) and name not in OF_PYTHON
    }
    assert found == set(ALLOWED)


def test_no_class_overrides_a_private_method_of_keras():
    modules = [
        importlib.import_module(module.name)
        for room in ("layers", "losses", "methods", "callbacks", "backbones")
        for module in pkgutil.walk_packages([str(PACKAGE / room)], prefix=f"keras_dtl.{room}.")
    ]
    classes = {c for m in modules for c in vars(m).values() if inspect.isclass(c)}
    for ours in (c for c in classes if c.__module__.startswith("keras_dtl")):
        theirs = [c for c in ours.__mro__ if c.__module__.startswith("keras.")]
        for name in filter(private, vars(ours)):
            assert not any(name in vars(base) for base in theirs), f"{ours.__name__}.{name}"
    assert keras.Model in {base for c in classes for base in c.__mro__}
