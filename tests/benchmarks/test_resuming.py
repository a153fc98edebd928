"""What the kept files hold is not run again, and one run that they lack is."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

RESULTS = Path(__file__).parents[2] / "scripts" / "benchmarks" / "results"
TRANSLATION = ["--data", "folder", "--features", "mobilenet_v2:file"]
STYLE = ["--content", "golden_gate.jpg", "--style", "starry_night.jpg", "--weights", "file"]


@pytest.fixture
def results(benchmark, monkeypatch, tmp_path):
    monkeypatch.setattr(benchmark("record"), "RESULTS", tmp_path)

    def copy(name):
        shutil.copy(RESULTS / f"{name}.json", tmp_path)
        return tmp_path / f"{name}.json"

    return copy


@pytest.mark.parametrize(
    ("name", "words", "run", "key"),
    [
        ("adapt_peer", [], "in_a_process", "adapt dann 1"),
        ("pacs", ["--folder", "pacs"], "run_once", "photo-sketch dan 2"),
        ("translation_quality", TRANSLATION, "run_once", "cyclegan torch 0"),
        ("motion", ["--source", "npz:clips"], "run_once", "synthesis 1"),
    ],
)
def test_only_what_is_missing_is_run(benchmark, monkeypatch, results, name, words, run, key):
    path, module, begun = results(name), benchmark(name), []
    old = json.loads(path.read_text(encoding="utf-8"))
    run_found = old["runs"].pop(key)
    path.write_text(json.dumps(old), encoding="utf-8")

    def run_again(*arguments):
        begun.append(arguments)
        return run_found

    if name == "pacs":
        domains = dict.fromkeys(("photo", "sketch", "art_painting"))
        monkeypatch.setattr(module, "cached_features", lambda *arguments: domains)
    monkeypatch.setattr(module, run, run_again)
    monkeypatch.setattr("sys.argv", [name, *words])
    module.main()
    module.main()
    assert len(begun) == 1 and set(key.split()) - {"photo-sketch"} <= set(map(str, begun[0]))
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["runs"] == {**old["runs"], key: run_found}
    assert content["earlier"][0] == {"machine": {"cores": 2, "processor": "x86_64"}}


@pytest.mark.parametrize(("cores", "is_kept"), [(2, True), (97, False)])
def test_times_are_kept_on_the_machine_that_took_them(
    benchmark, monkeypatch, results, capsys, cores, is_kept
):
    path, module = results("style_time"), benchmark("style_time")
    old, measured = json.loads(path.read_text(encoding="utf-8")), []
    monkeypatch.setattr("sys.argv", ["style_time", *STYLE])
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0}, raising=False)
    machine = {**module.MACHINE, **old["machine"], "cores": cores}
    monkeypatch.setattr(module, "MACHINE", machine)
    monkeypatch.setattr(module, "measure", lambda *parts: measured.extend(parts))
    module.main()
    _, result, before = measured
    assert (result["rounds"], result["minimized"], before) == (
        (old["rounds"], old["minimized"], old) if is_kept else ({}, {}, {})
    )
    assert json.loads(capsys.readouterr().out)["ratios"] == (old["ratios"] if is_kept else {})


def test_tasks_of_office_caltech_are_kept_whole(benchmark, monkeypatch, results, capsys):
    path, module = results("office_caltech"), benchmark("office_caltech")
    before = path.read_bytes()
    monkeypatch.setattr(module, "load_domain", lambda *arguments: None)
    monkeypatch.setattr(module, "run_task", None)
    monkeypatch.setattr("sys.argv", ["office_caltech", "--folder", "surf"])
    module.main()
    assert "mean" in capsys.readouterr().out.splitlines()[-1]
    assert path.read_bytes() == before


def test_a_rate_by_which_a_training_diverges_is_given_up_for_the_next(benchmark, monkeypatch):
    module, cell = benchmark("fine_tuning"), "photo/5/full"
    data = SimpleNamespace(train=SimpleNamespace(classes=("a", "b")))
    monkeypatch.setattr(module, "images_of", lambda *words: data)
    monkeypatch.setattr(module, "few_images", lambda *words: (data, None))
    found = {"accuracy": 50.0, "loss": float("nan")}
    monkeypatch.setattr(module, "train", lambda *words: dict(found))
    first, second = {"learning_rate": 5e-4}, {"learning_rate": 1e-4}
    rates, arguments = {cell: [first, second]}, SimpleNamespace(folder=None, weights=None)
    runs = {f"{cell}/0": {"accuracy": 60.0}, "sketch/5/full/0": {"accuracy": 70.0}}
    runs = module.run_cell(arguments, cell, 1, rates, runs)
    assert list(runs) == ["sketch/5/full/0"]  # those of the rate given up are not the next one's
    assert rates == {cell: [second], f"given up: {cell}": [first]}
    runs = module.run_cell(arguments, cell, 0, rates, runs)
    assert list(runs) == ["sketch/5/full/0", f"{cell}/0"]  # there is no other rate
    found["loss"] = 0.1
    rates[cell] = [first, second]
    assert f"{cell}/1" in module.run_cell(arguments, cell, 1, rates, runs)
