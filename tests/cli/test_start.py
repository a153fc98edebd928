"""What starts without TensorFlow, and how quickly."""

import os
import subprocess
import sys

import pytest

from keras_dtl.images import write_image
from tests.convert.conftest import colour, write_classifier

SCORES = '{"source": {"count": 2, "accuracy": 1.0, "confusion": [[1, 0], [0, 1]]}}'
HEAVY = ("tensorflow", "keras", "onnxruntime", "sklearn", "matplotlib")


def modules_after(code, heavy=HEAVY):
    """Run code in a fresh interpreter and return which heavy modules it imported."""
    check = f"{code}\nimport sys; print('imported', [m for m in {heavy!r} if m in sys.modules])"
    command = [sys.executable, "-c", check]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "code",
    [
        "import keras_dtl",
        "import keras_dtl.convert",
        "from keras_dtl import load_artifact, convert_folder",
        "import keras_dtl.cli.train, keras_dtl.cli.evaluate, keras_dtl.cli.demo",
        "from keras_dtl.cli.__main__ import main\ntry: main(['convert', '--help'])\n"
        "except SystemExit: pass",
        "from keras_dtl.cli.__main__ import main; main(['recipes'])",
    ],
)
def test_starts_without_heavy_imports(code):
    assert modules_after(code) == "imported []"


def test_one_image_imports_no_more_than_it_takes(tmp_path):
    """Neither what checks types, draws bars and scans packages, nor engines beside this process."""
    write_classifier(tmp_path / "colours", (8, 8))
    write_image(tmp_path / "red.png", colour("red"))
    words = ["convert", str(tmp_path / "colours"), str(tmp_path / "red.png"), str(tmp_path / "out")]
    needless = (
        *("typeguard", "asyncio", "unittest", "importlib.metadata", "rich", "ssl"),
        *("tensorflow", "keras", "onnx", "openvino", "scipy", "sklearn", "pandas", "matplotlib"),
        *(
            "ray",
            "multiprocessing",
            "keras_dtl.convert.engines.processes",
            "keras_dtl.convert.engines.remote",
        ),
        *("keras_dtl.convert.watch", "keras_dtl.convert.engines.ray_cluster", "huggingface_hub"),
    )
    code = f"from keras_dtl.cli.__main__ import main; assert main({words!r}) == 0"
    assert modules_after(code, needless) == "imported []"
    assert (tmp_path / "out" / "predictions.csv").is_file()


@pytest.mark.parametrize("words", [["recipes"], ["--help"], ["--version"]])
def test_verbs_that_convert_nothing_do_not_import_what_converts(words):
    code = f"from keras_dtl.cli.__main__ import main; main({words!r})"
    assert modules_after(code, ("keras_dtl.convert", "PIL", "rich", "typeguard")) == "imported []"


def processor_seconds(*arguments):
    """Return the least processor time of three runs of Python, and what the last one printed."""
    seconds = []
    for _ in range(3):
        before = os.times()
        command = [sys.executable, *arguments]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append(sum(os.times()[2:4]) - sum(before[2:4]))
    return min(seconds), answer.stdout


def test_convert_help_is_quick():
    """Half a second where the libraries that it cannot do without take 0.23, as they do idle."""
    libraries, _ = processor_seconds("-c", "import numpy, rich.progress, tyro")
    seconds, answer = processor_seconds("-m", "keras_dtl.cli", "convert", "--help")
    assert "ARTIFACT" in answer.upper()
    assert seconds < 0.5 / 0.23 * libraries


@pytest.mark.slow
@pytest.mark.parametrize(("jit", "compiled"), [("off", False), ("on", True)])
def test_steps_are_compiled_with_xla_where_asked(jit, compiled):
    # In a process of its own: determinism, under which Keras compiles nothing, lasts.
    code = f"""if True:
        from keras_dtl.cli.session import start_session
        start_session(jit={jit!r})
        from keras_dtl.backbones import mlp
        from keras_dtl.methods import SourceOnly
        from keras_dtl.recipes import RECIPES
        model = SourceOnly(mlp((4,), (4,), 4), mlp((4,), (4,), 2))
        model.compile("adam", jit_compile=RECIPES["source-only"](jit={jit!r}).jit_compile)
        print(model.jit_compile)"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.split() == [str(compiled)], answer.stderr[-500:]


SAYS_SO = "import os\nos.write(2, b'cudart_stub.cc: no GPU\\n')\nraise SystemExit(7)\n"
"""A library that writes to standard error before any setting is read, and then ends the test."""


@pytest.mark.parametrize(
    "words",
    [
        "train source-only",
        "train motion-style",
        "search",
        "check digits",
        "demo",
        "study layer-transfer",
        "stylize photo.png photo.png out.png",
        "evaluate run",
        "export run",
        "adapt run --target digits",
    ],
)
def test_whichever_verb_imports_tensorflow_does_so_quietly(words, tmp_path):
    for name in ("tensorflow", "keras"):
        (tmp_path / f"{name}.py").write_text(SAYS_SO)
    (tmp_path / "run").mkdir()
    for name, text in (("settings", '{"recipe": "dann"}'), ("scores", SCORES), ("model", "")):
        (tmp_path / "run" / f"{name}.json").write_text(text)
    write_image(tmp_path / "photo.png", colour("red"))
    code = f"from keras_dtl.cli.__main__ import main; main({words.split()!r})"
    places = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    answer = subprocess.run(
        [sys.executable, "-c", code],
        **{"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": places}},
        **{"capture_output": True, "text": True},
    )
    assert (answer.returncode, answer.stderr) == (7, "")
