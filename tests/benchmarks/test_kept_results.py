"""The figures in results/ are what today's code makes of the runs that stand beside them."""

import json
import math
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[2] / "scripts" / "benchmarks" / "results"


def read(name):
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def is_close(found, kept):
    """Return whether two contents are the same, numbers but for rounding."""
    if isinstance(kept, dict):
        return found.keys() == kept.keys() and all(is_close(found[key], kept[key]) for key in kept)
    if isinstance(kept, list):
        return len(found) == len(kept) and all(map(is_close, found, kept))
    if isinstance(kept, float) and isinstance(found, float):
        return math.isclose(found, kept, rel_tol=1e-9)
    return found == kept


@pytest.mark.parametrize("name", ["adapt_peer", "pacs", "shots"])
def test_summary_of_runs(benchmark, name):
    kept = read(name)
    module = benchmark("pacs" if name == "shots" else name)
    assert is_close(module.result_of(kept["runs"])["summary"], kept["summary"])


def test_summary_of_translation_quality(benchmark):
    kept = read("translation_quality")
    assert is_close(benchmark("translation_quality").summaries(kept["runs"]), kept["summary"])


def test_cells_of_fine_tuning(benchmark):
    kept = read("fine_tuning")
    found = benchmark("fine_tuning").result_of(kept["rates"], kept["runs"])
    assert is_close(found["cells"], kept["cells"])


def test_rows_of_camvid(benchmark):
    kept = read("camvid")
    assert is_close(benchmark("camvid").result_of(kept["runs"])["ways"], kept["ways"])


def test_rows_of_defaults(benchmark):
    kept = read("defaults")
    assert is_close(benchmark("defaults").result_of(kept["runs"])["rows"], kept["rows"])


def test_rows_of_separation(benchmark):
    module = benchmark("separation")
    for row, kept in read("separation")["rows"].items():
        assert is_close(module.cell_of(row, kept["seeds"]), kept), row


def test_rows_of_motion(benchmark):
    kept = read("motion")
    found = benchmark("motion").result_of(kept["runs"])
    for key in ("summary", "reached"):
        assert is_close(found[key], kept[key])


def test_rows_of_digits(benchmark):
    module = benchmark("digits")
    for task, methods in read("digits")["tasks"].items():
        for method, kept in methods.items():
            assert is_close(module.cell_of(task, method, kept["runs"]), kept), (task, method)


def test_rows_of_facades(benchmark):
    record = benchmark("record")
    for row, kept in read("facades_ablation")["rows"].items():
        found = record.column_summary(kept["seeds"].values())
        assert is_close(found, {"mean": kept["mean"], "sd": kept["sd"]}), row


def test_every_file_of_phones_was_converted_upright_in_its_colours():
    kept = read("phone_photos")
    count = kept["files"]
    assert count == kept["converted"] == kept["upright_in_right_colours"] == 100
    page = (RESULTS.parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    assert f"{count} of {count} made files" in page
