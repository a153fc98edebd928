"""What a benchmark's file keeps: runs, their summary, and where they come from."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def record(benchmark, monkeypatch, tmp_path):
    module = benchmark("record")
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    return module


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_summary_is_numpys_mean_and_deviation_of_a_sample(record):
    values = np.random.default_rng(0).normal(70, 5, 7)
    found = record.summary(values.tolist())
    np.testing.assert_allclose(found["mean"], values.mean())
    np.testing.assert_allclose(found["sd"], values.std(ddof=1))
    assert record.summary([3.0], "accuracy") == {"accuracy_mean": 3.0, "accuracy_sd": None}


def test_each_figure_of_the_runs_is_summed_up(record):
    table = np.random.default_rng(1).random((4, 2))
    found = record.column_summary({"a": a, "b": b} for a, b in table.tolist())
    np.testing.assert_allclose(list(found["mean"].values()), table.mean(0))
    np.testing.assert_allclose(list(found["sd"].values()), table.std(0, ddof=1))
    assert record.column_summary([{"a": 1.0}]) == {"mean": {"a": 1.0}, "sd": {"a": None}}


def test_runs_are_grouped_by_all_but_their_seed(record):
    runs = {"style, recurrent 0": 1, "style, recurrent 1": 2, "pairs 0": 3}
    assert record.groups(runs) == {"style, recurrent": [1, 2], "pairs": [3]}
    assert record.groups({"photo/5/full/0": 4}, "/") == {"photo/5/full": [4]}


def test_runs_that_are_done_are_not_repeated(record, tmp_path):
    begun, words = [], [("dann", seed) for seed in range(4)]

    def run(method, seed):
        if len(begun) == 2:
            raise KeyboardInterrupt
        begun.append(seed)
        return {"accuracy": 10.0 * seed}

    def result_of(runs):
        return {"what": "percent", **record.summary(one["accuracy"] for one in runs.values())}

    with pytest.raises(KeyboardInterrupt):
        record.run_missing("toy", words, run, result_of)
    assert read(tmp_path / "toy.json")["mean"] == 5.0
    begun.clear()
    with pytest.raises(KeyboardInterrupt):
        record.run_missing("toy", [*words, ("dann", 9)], run, result_of)
    assert begun == [2, 3]
    content = read(tmp_path / "toy.json")
    assert list(content["runs"]) == ["dann 0", "dann 1", "dann 2", "dann 3"]
    assert content["mean"] == 15.0


def test_runs_of_other_settings_are_begun_anew(record, tmp_path):
    for steps in (1, 2):
        settings, words = {"steps": steps}, [(steps * 10,)]
        record.run_missing(
            *("toy", words, lambda word: word, lambda runs, s=settings: {"settings": s}),
            settings=settings,
        )
    content = read(tmp_path / "toy.json")
    assert (content["settings"], content["runs"]) == ({"steps": 2}, {"20": 20})
    assert "earlier" not in content


def test_what_another_process_wrote_meanwhile_stays(record, tmp_path):
    def run(word):
        record.write_result("toy", {"runs": {"other 0": 1.0}}, show=())
        return 2.0

    record.run_missing("toy", [("own",)], run, lambda runs: {})
    assert read(tmp_path / "toy.json")["runs"] == {"other 0": 1.0, "own": 2.0}


def test_a_run_without_an_answer_is_not_kept_and_none_begins_after_the_deadline(record, tmp_path):
    record.run_missing("toy", [(0,), (1,)], lambda word: word or None, lambda runs: {})
    assert read(tmp_path / "toy.json")["runs"] == {"1": 1}
    record.run_missing("toy", [(2,)], lambda word: word, lambda runs: {}, minutes=1e-12)
    assert read(tmp_path / "toy.json")["runs"] == {"1": 1}
    assert not record.Deadline().is_over() and not record.Deadline(1).is_over()


def test_an_interrupted_write_leaves_the_old_file(record, tmp_path, monkeypatch):
    record.write_result("toy", {"figure": 1}, show=())
    before = (tmp_path / "toy.json").read_bytes()
    write = Path.write_text

    def write_half(path, text, encoding):
        write(path, text[: len(text) // 2], encoding=encoding)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", write_half)
    with pytest.raises(KeyboardInterrupt):
        record.write_result("toy", {"figure": 2}, show=())
    assert (tmp_path / "toy.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["toy.json"]


def test_a_file_says_where_its_figures_come_from(record, tmp_path, capsys):
    record.write_result("toy", {"figure": 1, "rounds": [2]}, show=["figure"])
    assert json.loads(capsys.readouterr().out) == {"figure": 1}
    content = read(tmp_path / "toy.json")
    assert set(content["machine"]) == {"cores", "threads", "processor", "processor_name"}
    assert 1 <= content["machine"]["threads"] <= content["machine"]["cores"]
    assert content["versions"]["numpy"] == np.__version__
    assert set(content) == {*record.ORIGIN, "figure", "rounds"}


def test_kept_figures_keep_their_origin(record, tmp_path, monkeypatch):
    old = {"machine": {"cores": 2, "processor": "x86_64"}, "figure": 1}  # as files were once
    (tmp_path / "toy.json").write_text(json.dumps(old), encoding="utf-8")
    for commit in ("one", "one", "two"):
        monkeypatch.setattr(record, "ORIGIN", {"commit": commit, "machine": {"cores": 4}})
        before = record.read_result("toy")
        record.write_result("toy", {**before, commit: 2}, show=(), before=before)
    content = read(tmp_path / "toy.json")
    assert (content["commit"], content["machine"], content["figure"]) == ("two", {"cores": 4}, 1)
    assert content["earlier"] == [
        {"machine": {"cores": 2, "processor": "x86_64"}},
        {"commit": "one", "machine": {"cores": 4}},
    ]


def test_checkout_state_sees_changes_of_code_and_not_of_results(record, tmp_path):
    def git(*words):
        command = ["git", "-c", "user.name=n", "-c", "user.email=e", *words]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)

    results = tmp_path / "scripts" / "benchmarks" / "results"
    results.mkdir(parents=True)
    for path in (results / "a.json", tmp_path / "code.py"):
        path.write_text("0")
    outside = record.checkout_state(tmp_path)
    assert outside == {"commit": None, "uncommitted_changes": None}
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    commit = git("rev-parse", "HEAD").stdout.strip()
    (results / "a.json").write_text("1")
    assert record.checkout_state(tmp_path) == {"commit": commit, "uncommitted_changes": False}
    (tmp_path / "code.py").write_text("1")
    assert record.checkout_state(tmp_path) == {"commit": commit, "uncommitted_changes": True}


def test_a_part_runs_in_a_process_and_its_failure_is_told(record, tmp_path):
    script = tmp_path / "part.py"
    script.write_text("import sys, keras_dtl; print('log'); print(int(sys.argv[1]) * 2)")
    assert record.in_a_process(str(script), 21) == 42
    with pytest.raises(RuntimeError, match="invalid literal"):
        record.in_a_process(str(script), "none")
