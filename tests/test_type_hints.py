"""Functions on paths, configuration and data say what they take, and exported ones describe it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "keras_dtl"
ROOMS = ("data", "export")


def functions(tree, inside=()):
    """Yield every function with what it stands in; functions inside functions are left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield node, inside
        else:
            yield from functions(node, (*inside, getattr(node, "name", "")))


def parameters(function):
    taken = function.args
    found = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs, taken.vararg, taken.kwarg]
    return [item for item in found if item is not None and item.arg not in ("self", "cls")]


@pytest.mark.parametrize("room", ROOMS)
def test_every_function_has_type_hints(room):
    missing = []
    for path in sorted((ROOT / room).rglob("*.py")):
        for function, _ in functions(ast.parse(path.read_text(encoding="utf-8"))):
            place = f"{path.name}:{function.lineno} {function.name}"
            bare = [item.arg for item in parameters(function) if item.annotation is None]
            returns = function.returns is not None or function.name.startswith("__")
            missing += [f"{place}({', '.join(bare)})"] if bare or not returns else []
    assert missing == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_exported_function_describes_its_arguments(room):
    missing = []
    for path in sorted((ROOT / room).rglob("*.py")):
        for function, inside in functions(ast.parse(path.read_text(encoding="utf-8"))):
            is_private = any(name.startswith("_") for name in (*inside, function.name))
            text = ast.get_docstring(function) or ""
            if not is_private and parameters(function) and "Args:" not in text:
                missing.append(f"{path.name}:{function.lineno} {function.name}")
    assert missing == []
