"""What benchmarks import exists, and the commands in their docstrings are understood.

Imports are read from the AST, so that the peers need not be installed.
"""

import ast
import importlib
import importlib.util
import re
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "scripts" / "benchmarks"
FILES = sorted(FOLDER.glob("*.py"))
PEERS = ("adapt", "torch")
"""Packages that need not be installed."""
BY_NAME = {path.stem: path for path in FILES}
COMMAND = re.compile(
    r"^ {4}(?:\S+=\S+ )*python scripts/benchmarks/(\w+)\.py\b(.*(?:\n {8}.*)*)", re.M
)


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def names_in(path):
    """Return what a file defines or imports at its top level."""
    found = set()
    for node in tree_of(path).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(a.asname or a.name).split(".")[0] for a in node.names}
    return found


def is_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def exists(module, name):
    """Return whether a sibling or a module of keras_dtl has a name; other packages all do."""
    if module in BY_NAME:
        return name in names_in(BY_NAME[module])
    if module.split(".")[0] != "keras_dtl":
        return module.split(".")[0] != "scripts"  # found from the root of a checkout alone
    if not is_module(module):
        return False
    return is_module(f"{module}.{name}") or hasattr(importlib.import_module(module), name)


def imports_of(tree):
    """Return `(module, name)` of what is imported, and `{alias: module}` of imported modules."""
    pairs, aliases = [], {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            pairs += [(node.module, alias.name) for alias in node.names]
            full = {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
            if node.module.startswith("keras_dtl"):
                aliases |= {alias: name for alias, name in full.items() if is_module(name)}
    return pairs, aliases


def missing_names(path):
    tree = tree_of(path)
    pairs, aliases = imports_of(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=alias), attr=name) if alias in aliases:
                pairs.append((aliases[alias], name))
    missing = {f"{module}.{name}" for module, name in pairs if not exists(module, name)}
    missing |= {m for m in aliases.values() if m not in {*BY_NAME, *PEERS} and not is_module(m)}
    return sorted(missing)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_it_imports_exists(path):
    assert missing_names(path) == []


def test_a_name_that_is_not_there_is_found(tmp_path):
    path = tmp_path / "benchmark.py"
    path.write_text(
        "import keras_dtl.cli.nothing\nimport pacs\nfrom record import RESULTS, nothing\n"
        "from keras_dtl import methods\nfrom keras_dtl.methods import DANN, NoMethod\n"
        "from scripts.benchmarks import record\nimport torch, pacz\n"
        "pacs.fit, pacs.unfit, methods.DAN, methods.DNA, torch.nothing\n"
    )
    assert missing_names(path) == [
        *("keras_dtl.cli.nothing", "keras_dtl.methods.DNA", "keras_dtl.methods.NoMethod"),
        *("pacs.unfit", "pacz", "record.nothing", "scripts.benchmarks.record"),
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_its_command_is_understood(benchmark, monkeypatch, capsys, path):
    commands = COMMAND.findall(ast.get_docstring(tree_of(path), clean=False))
    assert bool(commands) == ("main" in names_in(path))
    for name, words in commands:
        assert name == path.stem
        monkeypatch.setattr(sys, "argv", [path.name, "--help"])
        with pytest.raises(SystemExit) as stop:
            benchmark(name).main()
        assert stop.value.code == 0
        flags = set(re.findall(r"--[\w-]+", words.partition("#")[0]))
        assert flags <= set(re.findall(r"--[\w-]+", capsys.readouterr().out))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_results_are_written_with_their_origin(path):
    """Whoever writes into results/ as JSON does so by `write_result`, which tells the origin."""
    names = {node.id for node in ast.walk(tree_of(path)) if isinstance(node, ast.Name)}
    assert ("write_json" in names) == (path.stem == "record")
