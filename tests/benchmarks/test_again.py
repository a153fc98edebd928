"""A benchmark that is measured again, in a folder of its own."""

import json

import pytest


@pytest.fixture
def again(benchmark, tmp_path, monkeypatch):
    """The module, beside a benchmark that finds 61 where 60 was published."""
    again = benchmark("again")
    results = tmp_path / "results"
    results.mkdir()
    runs = {"a 0": {"accuracy": 60.0, "seconds": 9.0, "shares": {"x": 0.5}}, "b 0": 7.0}
    (results / "toy.json").write_text(json.dumps({"runs": runs}))
    (tmp_path / "toy.py").write_text(
        """if True:
        import json, os, pathlib
        path = pathlib.Path(os.environ["KERAS_DTL_RESULTS"]) / "toy.json"
        content = json.loads(path.read_text())
        assert list(content["runs"]) == ["b 0"]
        content["runs"]["a 0"] = {"accuracy": 61.0, "seconds": 2.0, "shares": {"x": 0.5}}
        path.write_text(json.dumps(content))"""
    )
    monkeypatch.setattr(again, "RESULTS", results)
    monkeypatch.setattr(again, "__file__", str(tmp_path / "again.py"))
    monkeypatch.setattr(again, "SAMPLE", {"toy": ("a 0", ())})
    return again


def test_figures_are_compared_and_the_published_file_stays(again):
    before = (again.RESULTS / "toy.json").read_text()
    pairs = again.measure_again("toy", [])
    assert pairs == {"accuracy": [60.0, 61.0], "shares.x": [0.5, 0.5]}
    assert (again.RESULTS / "toy.json").read_text() == before
    result = again.result_of({"toy": pairs}, points=0.9)
    assert result["rows"]["toy"] == {"largest_difference": 1.0, "found_again": False}
    assert again.result_of({"toy": pairs}, points=1.0)["found_again"] == 1


def test_every_sample_is_published(benchmark):
    read = benchmark("record").read_result
    for name, (key, _) in benchmark("again").SAMPLE.items():
        assert key in read(name)["runs"]
