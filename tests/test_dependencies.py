"""What the package imports, setup.cfg declares."""

import ast
import configparser
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BY_TENSORFLOW = {"google"}
"""Packages that TensorFlow brings and gives part of its own interface in."""
RENAMED = {"PIL": "pillow", "skimage": "scikit-image", "sklearn": "scikit-learn"}
"""Packages whose distribution bears another name."""
LIGHT = {"numpy", "pillow", "lazy-loader", "rich", "tyro"}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def declared_distributions():
    """Return `{extra: distributions}`; those that are always installed under ''."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lists = {"": config["options"]["install_requires"], **config["options.extras_require"]}
    return {
        extra: {normal(line) for line in re.findall(r"^[A-Za-z][\w.-]*", words, re.M)}
        for extra, words in lists.items()
    }


def roots_of(path):
    """Return the packages that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"keras_dtl"} - BY_TENSORFLOW


def test_every_import_is_declared():
    declared = set().union(*declared_distributions().values())
    missing = {
        (path.name, root)
        for path in (ROOT / "keras_dtl").rglob("*.py")
        for root in roots_of(path)
        if normal(RENAMED.get(root, root)) not in declared
    }
    assert not missing


def test_the_light_installation_is_as_light_as_said():
    assert declared_distributions()[""] == LIGHT
