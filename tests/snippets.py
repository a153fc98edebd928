"""The Python that documents show: fenced blocks of the pages, examples of the docstrings.

`python -m tests.snippets FOLDER` writes each to a file there, for pyright to read.
"""

import ast
import doctest
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^( *)```python\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


class Snippet(NamedTuple):
    """A piece of Python and where it stands."""

    name: str
    code: str
    wanted: tuple = ()
    """`doctest.Example`s, where it is a dialogue."""


def pages():
    """Return the pages that are read as Markdown."""
    return [ROOT / "README.md", ROOT / "exported/README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def of_pages():
    """Yield the fenced Python of every page; blocks of one page go on from each other."""
    for path in pages():
        blocks = [_dedented(match) for match in FENCE.finditer(path.read_text(encoding="utf-8"))]
        if blocks:
            yield Snippet(path.relative_to(ROOT).as_posix(), "\n".join(blocks))


def of_docstrings():
    """Yield the examples of every docstring of the package."""
    for path in sorted((ROOT / "keras_dtl").rglob("*.py")):
        place, source = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        nodes = ast.walk(ast.parse(source)) if ">>> " in source or "```python" in source else ()
        for node in nodes:
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                name = f"{place}:{getattr(node, 'name', 'module')}"
                yield from _of_docstring(name, ast.get_docstring(node) or "")


def _of_docstring(name, text):
    dialogue = tuple(doctest.DocTestParser().get_examples(text))
    if dialogue:
        yield Snippet(name, "".join(example.source for example in dialogue), dialogue)
    for number, match in enumerate(FENCE.finditer(text)):
        yield Snippet(f"{name}:{number}", _dedented(match))


def _dedented(match):
    indent = len(match.group(1))
    return "\n".join(line[indent:] for line in match.group(2).splitlines()) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "basic"}', encoding="utf-8")
    for snippet in (*of_pages(), *of_docstrings()):
        name = re.sub(r"\W+", "_", snippet.name)
        (folder / f"{name}.py").write_text(snippet.code, encoding="utf-8")
