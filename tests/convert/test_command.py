"""`keras-dtl convert` as it is typed."""

import subprocess
import sys
import time

import pytest

from keras_dtl.scripts.__main__ import main


def test_convert_command_prints_device_summary_and_failures(
    classifier_folder, photos, tmp_path, capsys
):
    words = ["convert", str(classifier_folder), str(photos), str(tmp_path / "out")]
    assert main([*words, "--device", "cpu", "--top", "1", "--batch-size", "2"]) == 1
    captured = capsys.readouterr()
    assert "colours: classification on cpu (CPUExecutionProvider)" in captured.out
    assert "4 converted" in captured.out
    assert "truncated.png: cannot be read as an image" in captured.err
    lines = (tmp_path / "out" / "predictions.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "file,class,probability"
    assert main(words) == 2
    assert "predictions.csv exists" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 1


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


def test_convert_help_is_quick_and_needs_no_runtime():
    code = (
        "import sys\n"
        "from keras_dtl.scripts.__main__ import main\n"
        "try:\n"
        "    main(['convert', '--help'])\n"
        "finally:\n"
        "    heavy = {'tensorflow', 'keras', 'onnxruntime', 'matplotlib'} & set(sys.modules)\n"
        "    print('heavy:', sorted(heavy))\n"
    )
    started = time.monotonic()
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert time.monotonic() - started < 5  # about 0.3 s on a machine that does nothing else
    assert "heavy: []" in result.stdout
    for flag in ("--device", "--top", "--format", "--all-probabilities", "--overwrite"):
        assert flag in result.stdout
