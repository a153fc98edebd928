"""`keras-dtl convert` as it is typed."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from keras_dtl.cli.__main__ import main
from keras_dtl.convert.journal import Journal
from keras_dtl.images import read_image
from tests.convert.conftest import colour, write_negative


def test_convert_command_prints_device_summary_and_failures(
    classifier_folder, photos, tmp_path, capsys
):
    words = ["convert", str(classifier_folder), str(photos), str(tmp_path / "out")]
    assert main([*words, "--device", "cpu", "--top", "1", "--batch-size", "2"]) == 1
    captured = capsys.readouterr()
    assert "colours: classification in float32 on cpu (CPUExecutionProvider)" in captured.out
    assert re.search(r"4 converted \([\d.]+ files/s\)", captured.out)
    assert "truncated.png: cannot be read as an image" in captured.err
    lines = (tmp_path / "out" / "predictions.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "file,class,probability"
    assert main([*words, "--device", "cpu", "--top", "1"]) == 1
    assert "0 converted" in (shown := capsys.readouterr().out)
    assert "4 skipped: already done" in shown


@pytest.mark.parametrize(
    ("artifact", "source", "message"),
    [("missing", ".", "is not an artifact"), (None, "missing", "There is no folder")],
)
def test_convert_command_ends_with_2_when_nothing_can_be_done(
    classifier_folder, tmp_path, capsys, artifact, source, message
):
    artifact = str(classifier_folder) if artifact is None else artifact
    words = ["convert", artifact, str(tmp_path / source), str(tmp_path / "out")]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_convert_help_needs_no_runtime():
    code = (
        "import sys\n"
        "from keras_dtl.cli.__main__ import main\n"
        "try:\n"
        "    main(['convert', '--help'])\n"
        "finally:\n"
        "    heavy = {'tensorflow', 'keras', 'onnxruntime', 'matplotlib'} & set(sys.modules)\n"
        "    print('heavy:', sorted(heavy))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "heavy: []" in result.stdout
    for flag in ("--device", "--top", "--format", "--watch", "--overwrite", "--tile"):
        assert flag in result.stdout


@pytest.fixture(scope="module")
def negative_folder(tmp_path_factory):
    return write_negative(tmp_path_factory.mktemp("artifacts") / "negative")


def typed(words, data=b"", **options):
    command = [sys.executable, "-m", "keras_dtl.cli", "convert", *map(str, words)]
    return subprocess.run(command, input=data, capture_output=True, **options)


def test_one_image_goes_through_a_pipe(negative_folder, photos):
    data = (photos / "a.png").read_bytes()
    result = typed([negative_folder, "-", "-", "--device", "cpu"], data)
    assert result.returncode == 0, result.stderr
    np.testing.assert_array_equal(read_image(result.stdout), 255 - colour("red"))
    assert b"CPUExecutionProvider" in result.stderr
    broken = typed([negative_folder, "-", "-"], b"no image")
    assert (broken.returncode, broken.stdout) == (2, b"")
    assert b"cannot be read as an image" in broken.stderr


@pytest.mark.parametrize("words", ["a.png - --dry-run", "a.png - --watch", "a.png - --format same"])
def test_what_a_pipe_cannot_do_is_refused(negative_folder, photos, words, capfdbinary):
    name, *words = words.split()
    assert main(["convert", str(negative_folder), str(photos / name), *words]) == 2
    out, error = capfdbinary.readouterr()
    assert out == b"" and words[1].encode() in error
    assert main(["convert", str(negative_folder), str(photos), "-"]) == 2
    assert b"is a folder" in capfdbinary.readouterr().err


def test_prediction_goes_into_a_pipe(classifier_folder, photos, capfdbinary):
    assert main(["convert", str(classifier_folder), str(photos / "a.png"), "-"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["class"] == "red"


def test_names_come_from_standard_input(negative_folder, photos, tmp_path):
    listed = b"\0".join(bytes(photos / name) for name in ("a.png", "sub/d\ne.png", "missing.png"))
    result = typed([negative_folder, "-", tmp_path / "out"], listed)
    assert result.returncode == 1
    assert (tmp_path / "out" / "sub" / "d\ne.png").is_file()
    assert b"missing.png: No such file" in result.stderr


def test_one_file_becomes_a_file_of_another_name(negative_folder, photos, tmp_path, capsys):
    words = ["convert", str(negative_folder), str(photos / "a.png"), str(tmp_path / "b.jpg")]
    assert main([*words, "--dry-run"]) == 0
    assert not (tmp_path / "b.jpg").exists()
    assert "1 would be converted" in capsys.readouterr().out
    assert main([*words, "--format", "webp"]) == 2
    assert "named as of another" in capsys.readouterr().err
    assert main(words) == 0
    assert np.abs(read_image(tmp_path / "b.jpg")[..., 0].astype(int)).max() < 10
    assert main(words) == 2
    assert "exists" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0
    same = ["convert", str(negative_folder), str(photos / "a.png"), str(photos / "a.png")]
    assert main([*same, "--overwrite"]) == 2


def test_dry_run_writes_nothing(negative_folder, photos, tmp_path, capsys):
    words = ["convert", str(negative_folder), str(photos), str(tmp_path / "out")]
    assert main([*words, "--dry-run"]) == 0
    assert not (tmp_path / "out").exists()
    shown = capsys.readouterr().out
    assert shown.count("would convert") == 5
    assert "5 would be converted, 1 left out. Output" in shown
    assert main(words) == 1
    capsys.readouterr()
    assert main([*words, "--dry-run"]) == 0
    assert "would convert: " + str(photos / "truncated.png") in capsys.readouterr().out


def test_a_table_is_not_taken_for_a_folder(classifier_folder, photos, tmp_path, capsys):
    words = ["convert", str(classifier_folder), str(photos), str(tmp_path / "table.csv")]
    assert main(words) == 2
    assert "is named as a file" in capsys.readouterr().err
    assert not (tmp_path / "table.csv").exists()


def test_limit_leaves_the_rest_for_another_run(negative_folder, photos, tmp_path, capsys):
    (photos / "truncated.png").unlink()
    words = ["convert", str(negative_folder), str(photos), str(tmp_path / "out"), "--limit", "3"]
    assert main(words) == 0
    assert "3 converted" in (shown := capsys.readouterr().out)
    assert "1 left" in shown
    assert main(words) == 0
    assert "1 converted" in capsys.readouterr().out


def test_suffix_and_format_make_the_name(negative_folder, photos, tmp_path):
    words = ["convert", str(negative_folder), str(photos / "a.png"), str(tmp_path)]
    assert main([*words, "--suffix", "_negative", "--format", "webp"]) == 0
    assert (tmp_path / "a_negative.webp").is_file()
    assert main([*words, "--format", "csv"]) == 2


def test_another_conversion_into_the_same_folder_is_refused(negative_folder, photos, tmp_path):
    with Journal(tmp_path / "out", "key"):
        words = ["convert", str(negative_folder), str(photos), str(tmp_path / "out")]
        result = typed(words[1:])
    assert result.returncode == 2
    assert b"Another conversion is writing" in result.stderr


def test_unknown_precision_is_refused_by_name(negative_folder, photos, tmp_path, capsys):
    words = ["convert", str(negative_folder), str(photos), str(tmp_path / "out")]
    assert main([*words, "--precision", "int8"]) == 2
    assert "holds float32; received precision='int8'" in capsys.readouterr().err
