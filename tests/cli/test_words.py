"""Help and mistakes on the command line."""

import gc
import os
import platform
import re
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import tyro

from keras_dtl.cli.__main__ import VERBS, main
from keras_dtl.cli.export import Export
from keras_dtl.cli.help import help_of
from keras_dtl.cli.quiet import import_tensorflow, kept_lines, quiet_start
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.closing import NEXT, next_command, refusal_line


def ended(words, capsys):
    """Return the exit status of a command, and what it wrote to both streams."""
    try:
        status = main(words)
    except SystemExit as end:
        status = end.code
    return status, *capsys.readouterr()


@pytest.mark.parametrize("name", RECIPES)
def test_help_of_a_recipe_begins_with_what_to_choose(name):
    text = help_of(RECIPES[name], f"keras-dtl train {name}")
    chosen = text.partition("to choose first:\n")[2].partition("\n\n")[0]
    assert {"--epochs", "--output"} <= set(re.findall(r"^  (--[\w-]+)", chosen, re.M))
    verb = "train source-only" if name == "shot" else f"train {name}"  # its first step
    assert f"example:\n  keras-dtl {verb}" in text
    assert f"runs/{name}." in " ".join(chosen.split())
    assert "None" not in text
    assert text.index("to choose first") < text.index("method and training")


def test_defaults_are_stated_once():
    text = " ".join(help_of(RECIPES["dann"], "keras-dtl train dann").split())
    assert "folder:PATH. Default: digits." in text
    assert "drawn by the seed. Default: all. --target-size" in text
    assert "Default: False" not in text


@pytest.mark.parametrize("verb", VERBS)
def test_every_flag_is_explained(verb, capsys):
    status, out, _ = ended(["help", verb], capsys)
    assert (status, "{None}" in out, "(default:" in out) == (0, False, False)
    for line in re.findall(r"^  (--.*)\n(?=  --|\n|$)", out, re.M):
        assert "  " in line, line  # a flag, and behind it or below it what it means


def test_help_comes_by_four_words(capsys):
    found = [
        ended(words, capsys) for words in (["help"], ["--help"], ["-h"], ["help", "train", "dann"])
    ]
    assert found[0] == found[1] == found[2]
    assert found[3] == ended(["train", "dann", "--help"], capsys)


def test_version(capsys):
    assert ended(["-V"], capsys) == ended(["--version"], capsys)


@pytest.mark.parametrize(
    ("words", "near", "command"),
    [
        (["trian"], "Did you mean train?", "keras-dtl help"),
        (["train", "dnan"], "Did you mean dan?", "keras-dtl train --help"),
        (["train", "fine"], "Did you mean fine-tuning?", "keras-dtl train --help"),
        (
            ["train", "dann", "--sorce", "x"],
            "mean --source?",
            "keras-dtl train dann --help",
        ),
        (["convert", "a", "b", "c", "--batchsize=3"], "--batch-size?", "keras-dtl convert --help"),
        (
            ["train", "shot", "--source", "digits"],
            "no flag --source; it is one of dann, cdan, dan and others. See",
            "keras-dtl train shot --help",
        ),
    ],
)
def test_a_mistake_is_answered_with_the_nearest_name(words, near, command, capsys):
    status, out, err = ended(words, capsys)
    assert (status, out) == (2, "")
    first = err.splitlines()[0]
    assert near in first and first.endswith(f"See: {command}")
    assert ended(command.split()[1:], capsys)[0] == 0


def test_flags_may_be_written_with_underscores_and_switched_off(capsys):
    words = ["train", "dann", "--image_size", "8", "--no-resume", "--source", "folder:/no/such"]
    _, _, err = ended(words, capsys)
    assert "has no flag" not in err


def test_train_alone_lists_the_recipes(capsys):
    status, _, err = ended(["train"], capsys)
    assert status == 2
    assert all(f"\n  {name} " in err for name in RECIPES)


def test_output_that_nobody_reads_is_no_error():
    code = "import sys; from keras_dtl.cli.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "train", "dann", "--help"]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        answer = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, text=True)
    assert (answer.returncode, answer.stderr) == (141, "")


def test_lines_that_libraries_say_of_themselves_are_held_back(capfd):
    with quiet_start():
        os.write(2, b"I0000 port.cc:153] oneDNN custom operations are on.\nkeep this\n")
    assert capfd.readouterr().err == "keep this\n"
    without_gpu = "E0000 cuda_platform.cc] failed call to cuInit: UNKNOWN ERROR (303)\n"
    broken = "W0000 gpu_device.cc] Cannot dlopen some GPU libraries.\n"
    assert kept_lines(without_gpu + broken) == [broken]  # why a GPU is not used is told


@pytest.mark.parametrize(("given", "level"), [(None, "1"), ("0", "0")])
def test_tensorflow_says_no_more_than_warnings_unless_told_to(given, level, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", given or "")
    if given is None:
        monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    import_tensorflow()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == level


@pytest.mark.parametrize(("given", "taken"), [(None, "1"), ("0", "0")])
def test_onednn_is_asked_for_unless_told_otherwise(given, taken, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", given or "")
    if given is None:
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
        import_tensorflow()
        assert "TF_ENABLE_ONEDNN_OPTS" not in os.environ
    import_tensorflow(onednn=True)
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == taken


def test_what_was_held_back_is_told_when_the_import_fails(capfd):
    def broken_import():
        with quiet_start():
            os.write(2, b"the reason\n")
            raise ImportError

    with pytest.raises(ImportError):
        broken_import()
    assert capfd.readouterr().err == "the reason\n"


def test_every_task_of_a_conversion_has_a_next_command():
    from keras_dtl.convert.tasks.by_name import TASKS

    assert set(NEXT) == set(TASKS)
    assert all(command.startswith("convert {artifact} ") for command in NEXT.values())


def test_what_recipes_name_as_the_next_step_are_words_of_a_verb():
    named = [recipe for recipe in RECIPES.values() if recipe.next_words]
    assert named
    for recipe in named:
        verb, *words = recipe.next_words.format(run="run", artifact="artifact").split()
        assert verb == "export" and tyro.cli(Export, args=words).output


@pytest.mark.parametrize("line", [partial(next_command, task="classification"), refusal_line])
def test_what_to_type_next_is_for_a_shell(line):
    recipe = RECIPES["dann"](output=Path("runs/a b (é)"))
    words = shlex.split(line(recipe).replace("`", " "))
    assert str(recipe.artifact_folder) in words


@pytest.mark.parametrize(
    "words",
    [
        "train dann --log tensorboard --log mlflow",
        "search --methods mcc --rates 0.1 --methods=dann",
        "export run --precision int8 --precision float16",
    ],
)
def test_a_second_list_of_values_does_not_replace_the_first_in_silence(words, capsys):
    status, _, err = ended(words.split(), capsys)
    assert status == 2
    assert re.search(r"error: (--\w+) is given twice; write all its values behind one: \1 A B", err)


@pytest.mark.parametrize("is_on", [True, False])
def test_garbage_is_looked_for_again_once_tensorflow_is_there(is_on):
    before = gc.isenabled()
    (gc.enable if is_on else gc.disable)()
    gc.unfreeze()
    try:
        import_tensorflow()
        assert gc.isenabled() == is_on
        assert gc.get_freeze_count() > 0  # later collections leave it out
    finally:
        (gc.enable if before else gc.disable)()
