"""Hooks bear one name: what a class hands on to its base is a method of that base."""

import ast
import importlib
import inspect
import pkgutil

import keras_dtl


def classes():
    for room in ("layers", "losses", "methods", "callbacks", "backbones", "recipes"):
        folders = [f"{keras_dtl.__path__[0]}/{room}"]
        for module in pkgutil.walk_packages(folders, prefix=f"keras_dtl.{room}."):
            name = module.name
            for one in vars(importlib.import_module(name)).values():
                # What a mixin hands on to is known only where it is mixed in.
                if inspect.isclass(one) and one.__module__ == name and one.__bases__ != (object,):
                    yield one


def handed_on(one):
    """Yield the names of `super().NAME` in a class."""
    for node in ast.walk(ast.parse(inspect.getsource(one))):
        called = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call)
        if called and getattr(node.value.func, "id", "") == "super":
            yield node.attr


def test_what_is_handed_on_is_a_method_of_a_base():
    pairs = [(one, name) for one in classes() for name in handed_on(one)]
    assert len(pairs) > 100
    lost = [
        f"{one.__name__}: super().{name}"
        for one, name in pairs
        if not any(hasattr(base, name) for base in one.__mro__[1:])
    ]
    assert not lost, lost
