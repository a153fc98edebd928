"""A run whose files were damaged is one line that names the file and the way out, of every verb."""

import json

import pytest

from keras_dtl.cli.__main__ import main
from tests.cli.test_full_disk import tree

SHORT = ["--epochs", "1", "--min-steps", "1"]
OUTPUTS = ["--output", "new", "--artifact", "new-artifact"]
VERBS = {
    "resume": ["train", "--resume", "run", "--artifact", "new-artifact"],
    "longer": ["train", "--resume", "run", "--epochs", "2", "--artifact", "new-artifact"],
    "settings": ["train", "--settings", "run/settings.json", *OUTPUTS],
    "start": ["train", "fine-tuning", "--target", "folder:target", "--start", "run", *OUTPUTS],
    "evaluate": ["evaluate", "run", "--output", "new"],
    "export": ["export", "run", "--output", "new-artifact"],
    "adapt": ["adapt", "run", "--target", "folder:target", *SHORT, *OUTPUTS],
}
READ = {
    "settings.json": ("resume", "longer", "settings", "evaluate", "export", "adapt"),
    "scores.json": ("resume", "export"),
    "history.json": ("resume", "longer", "evaluate"),
    "model.keras": ("resume", "longer", "start", "evaluate", "export", "adapt"),
}
"""Which verbs read which file."""
REMEDIES = ("Train", "Give the settings.json of another run", "writes it anew", "another folder")


def damages(path, keys, every):
    """Return the bytes of a file, damaged in several ways, by name; of JSON some values too."""
    whole = path.read_bytes()
    found = {
        "half": whole[: len(whole) // 2],
        "empty": b"",
        "random": bytes(range(256)) * 9,
        "a list": b"[1, 2]",
        "a number": b"7",
        "null": b"null",
        "an object": b"{}",
        "deep": b"[" * 10**5,
    }
    if not every:
        found = {name: found[name] for name in ("half", "a list")}
    if path.suffix != ".json":
        return found
    for name in json.loads(whole).keys() & keys:
        for value in (7.5, [[1]], {"a": {}}, False) if every else (7.5,):
            changed = {**json.loads(whole), name: value}
            found[f"{name}: {value}"] = json.dumps(changed).encode()
    return found


PAIRS = [(verb, name) for name, verbs in READ.items() for verb in verbs]
WHOLE = [(verb, name) for verb, name in PAIRS if verb in (READ[name][0], "adapt")]
CASES = [
    *((*pair, pair in WHOLE) for pair in PAIRS),
    *(pytest.param(*pair, True, marks=pytest.mark.slow) for pair in PAIRS if pair not in WHOLE),
]
"""Every damage of a file is met by the first verb that reads it, some of them by every verb."""


@pytest.mark.parametrize(("verb", "name", "every"), CASES)
def test_a_damaged_file_of_a_run_is_named_with_the_way_out(folder, capsys, verb, name, every):
    """Of valid JSON of another kind there were tracebacks, and without logs the run was trained."""
    path = folder / "run" / name
    keys = {"classes"} if verb == "adapt" else {"recipe", "source", "target", "epochs", "loss"}
    for damage, content in damages(path, keys, every).items():
        path.write_bytes(content)
        before = tree(folder)
        assert main(VERBS[verb]) == 2, damage
        (line,) = (x for x in capsys.readouterr().err.splitlines() if x.startswith("error: "))
        assert f"run/{name}" in line and any(words in line for words in REMEDIES), (damage, line)
        assert tree(folder) == before


def test_scores_that_lack_what_the_report_shows_are_named(folder, capsys):
    """A letter of a key that has changed leaves valid JSON: there was a traceback."""
    path = folder / "run" / "scores.json"
    path.write_text(path.read_text().replace('"classes"', '"clashes"'))
    assert main(VERBS["resume"]) == 2
    (line,) = (x for x in capsys.readouterr().err.splitlines() if x.startswith("error: "))
    assert "run/scores.json is damaged" in line and "writes it anew" in line
    assert not (folder / "new-artifact").exists()
