"""The tables of the README and of docs/results are what the benchmarks' files say."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "scripts" / "benchmarks" / "tables.py"
SPEC = importlib.util.spec_from_file_location("tables", PATH)
tables = importlib.util.module_from_spec(SPEC)
sys.path.insert(0, str(PATH.parent))
SPEC.loader.exec_module(tables)
VALIDATOR = sys.modules["adaptation_tables"].VALIDATOR
sys.path.remove(str(PATH.parent))


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.name)
def test_page_is_up_to_date(page):
    text = page.read_text(encoding="utf-8")
    assert tables.with_tables(text, tables.RESULTS) == text


def test_every_table_stands_on_one_page():
    text = "".join(page.read_text(encoding="utf-8") for page in tables.PAGES)
    for name in ("headlines", *tables.TABLES):
        assert text.count(f"<!-- {name} -->") == 1, name


def test_headlines_come_from_the_files_and_link_to_their_pages():
    text = tables.content_of("headlines", tables.RESULTS)
    demo = json.loads((tables.RESULTS / "demo.json").read_text())["mean"]
    assert f"DANN {demo['dann']:.1f} %" in text
    links = re.findall(r"\]\((docs/results/[^)]+)\)", text)
    assert len(links) == len(text.strip().splitlines()) - 2
    assert not [link for link in links if not (tables.ROOT / link).exists()]


def summary(mean, sd=None):
    return {"target_accuracy_mean": mean, "target_accuracy_sd": sd}


def test_digits_show_deviation_pick_paper_and_what_differs(tmp_path):
    found = {
        **summary(91.04, 0.26),
        "picks": {VALIDATOR: summary(90.0, 1.0), "entropy": summary(99.0, 0.0)},
        "published": 89.4,
        "differs_from_the_paper": "more images",
        "runs": [{}, {}, {}],
    }
    methods = {"adda": found, "adda+affine": found}
    result = {"tasks": {"mnist-usps-sampled": methods}}
    (tmp_path / "digits.json").write_text(json.dumps(result))
    text = tables.with_tables("a\n<!-- digits -->old<!-- /digits -->\nz", tmp_path)
    plain, changed = text.splitlines()[-5:-3]
    assert "| adda * | 91.0 ± 0.3 | 90.0 ± 1.0 | 89.4 | 3 |" in plain
    assert "| adda+affine * | 91.0 ± 0.3 | 90.0 ± 1.0 |  | 3 |" in changed
    assert (text[:2], text[-2:], "old" in text) == ("a\n", "\nz", False)
    assert tables.with_tables(text, tmp_path) == text


def test_keys_of_two_words_become_rows_and_columns(tmp_path):
    result = {"summary": {"S+T 0": summary(1.0), "S+T 3": summary(2.0), "mme 3": summary(3.0, 0.1)}}
    (tmp_path / "shots.json").write_text(json.dumps(result))
    text = tables.with_tables("<!-- shots --><!-- /shots -->", tmp_path)
    assert "| 0 | 1.0 |  |" in text
    assert "| 3 | 2.0 | 3.0 ± 0.1 |" in text


def test_layers_are_columns_and_kinds_rows(tmp_path):
    cell = {"mean": 97.0, "sd": 0.5, "runs": 4}
    result = {"accuracy": {"base": {"0": cell}, "AnB": {"10": cell, "2": {**cell, "sd": None}}}}
    (tmp_path / "layer_transfer.json").write_text(json.dumps(result))
    text = tables.with_tables("<!-- layer_transfer --><!-- /layer_transfer -->", tmp_path)
    assert "| copied up to layer | 2 | 10 |" in text
    assert "| base | 97.0 ± 0.5 |  |" in text
    assert "| AnB | 97.0 | 97.0 ± 0.5 |" in text


def test_ways_to_fine_tune_are_columns(tmp_path):
    cells = {f"photo/{n}/{way}": {"mean": n, "sd": None} for n in (5, 20) for way in ("a", "b")}
    result = {"settings": {"ways": {"a": {}, "b": {}}}, "cells": cells}
    (tmp_path / "fine_tuning.json").write_text(json.dumps(result))
    text = tables.with_tables("<!-- fine_tuning --><!-- /fine_tuning -->", tmp_path)
    assert "| domain | labels a class | a | b |" in text
    assert "| photo | 20 | 20.0 | 20.0 |" in text


def test_separation_has_the_published_figure_beside_its_own(tmp_path):
    found = {
        "mean": {"class from s": 98.44, "class from z": 17.0},
        "sd": {"class from s": 0.06, "class from z": None},
        "published": {"class from s": 98.35},
        "seeds": {"0": {}, "1": {}},
    }
    (tmp_path / "separation.json").write_text(json.dumps({"rows": {"mnist": found}}))
    text = tables.with_tables("<!-- separation --><!-- /separation -->", tmp_path)
    assert "| mnist | class from s | 98.4 ± 0.1 | 98.35 | 2 |" in text
    assert "|  | class from z | 17.0 |  | 2 |" in text


def test_result_that_is_not_there_leaves_its_place_empty_and_a_missing_mark_is_named(tmp_path):
    text = "<!-- pacs -->old<!-- /pacs -->"
    assert tables.with_tables(text, tmp_path) == "<!-- pacs -->\n\n<!-- /pacs -->"
    with pytest.raises(ValueError, match="/pacs"):
        tables.with_tables("<!-- pacs --> and no end", tmp_path)


def test_motion_has_a_row_for_each_kind_of_transfer(tmp_path):
    cell = {"mean": 0.9, "sd": 0.01, "seeds": 3}
    parts = {"transfers": {"style_of_ceiling": cell, "jerk_ratio": {**cell, "sd": None}}}
    parts["to_held_out_cells"] = {"action_of_ceiling": cell}
    (tmp_path / "motion.json").write_text(json.dumps({"summary": {"style": parts}}))
    text = tables.with_tables("<!-- motion --><!-- /motion -->", tmp_path)
    assert "| style | transfers | 90.0 ± 1.0 |  |  |  | 90.0 |  | 3 |" in text
    assert "|  | to held out cells |  | 90.0 ± 1.0 |  |  |  |  | 3 |" in text


def test_kid_stands_beside_pytorchs(tmp_path):
    def cell(mean, sd):
        return {"mean": mean, "sd": sd}

    libraries = {"keras_dtl": cell(1.0, 0.25), "torch": cell(1.125, None)}
    result = {
        "settings": {"steps": {"cyclegan": 1000}},
        "summary": {"cyclegan": {"seconds": libraries, "kid a_to_b": libraries}},
        "runs": dict.fromkeys(["cyclegan keras_dtl 0", "cyclegan keras_dtl 1", "cyclegan torch 0"]),
    }
    (tmp_path / "translation_quality.json").write_text(json.dumps(result))
    mark = "translation_quality"
    text = tables.with_tables(f"<!-- {mark} --><!-- /{mark} -->", tmp_path)
    assert "| cyclegan a to b | 1000 | 1.000 ± 0.250 | 1.125 | 2 |" in text
    assert "seconds" not in text


def test_defaults_show_what_was_measured_and_how_many_failed(tmp_path):
    cell = {"mean": 27.04, "sd": None}
    row = {"case": "photos-64", "recipe": "dan", "epochs": "1", "seeds": 3}
    row |= {"training": {"mean": 99.96, "sd": 0.04}, "source": cell, "target": cell}
    row |= {"further": None, "commonest": None, "diverged": 1, "collapsed": 1}
    digits = {**row, "case": "digits", "epochs": "own", "further": {"mean": 50.0, "sd": 1.0}}
    (tmp_path / "defaults.json").write_text(json.dumps({"rows": [row, digits]}))
    _, _, first, second = tables.content_of("defaults", tmp_path).strip().splitlines()
    assert first == "| photos-64 | 1 | dan | 100.0 ± 0.0 | 27.0 | 27.0 |  |  | 2 of 3 |"
    assert second == "| digits | own | dan | 100.0 ± 0.0 | 27.0 | 27.0 | 50.0 ± 1.0 |  | 2 of 3 |"
