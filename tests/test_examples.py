"""Every example of a docstring runs as it stands, alone, and says what it promises."""

import doctest

import pytest

from tests.snippets import of_docstrings

SNIPPETS = {snippet.name: snippet for snippet in of_docstrings()}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def test_there_are_examples():
    assert len(SNIPPETS) >= 14


@pytest.mark.parametrize("name", SNIPPETS)
def test_example_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    snippet = SNIPPETS[name]
    if not snippet.wanted:
        exec(compile(snippet.code, name, "exec"), {"__name__": name})  # noqa: S102 (our own page)
        return
    test = doctest.DocTest(list(snippet.wanted), {}, name, None, None, None)
    said = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append)
    assert result.failed == 0, "".join(said)
