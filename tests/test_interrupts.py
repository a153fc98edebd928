"""Ctrl-C at every moment of a command, and what it ends with."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import keras_dtl


def answer_to_interrupts():
    """Let a child hear Ctrl-C, which shells keep from what they run in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def status_of(code, folder):
    """Return the status of a module that is taken for the command `keras-dtl`."""
    code = f"import sys\nsys.argv = ['keras-dtl']\n{textwrap.dedent(code)}"
    (folder / "command_in_test.py").write_text(code)
    line = [sys.executable, "-m", "command_in_test"]
    path = os.pathsep.join([str(folder), str(Path(keras_dtl.__file__).parents[1])])
    environment = {**os.environ, "PYTHONPATH": path}
    run = subprocess.run(line, check=False, env=environment, preexec_fn=answer_to_interrupts)
    return run.returncode


INTERRUPT = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"


@pytest.mark.parametrize(
    "code",
    [
        f"import keras_dtl\n{INTERRUPT}",  # before the verb is known
        """
        from keras_dtl.cli import __main__ as command

        def verb(words):
            try:
                exec("raise KeyboardInterrupt")  # as under a dataclass that is being made
            except KeyboardInterrupt:
                return 130

        command.run_verb = verb
        sys.exit(command.main())
        """,
        """
        from keras_dtl.cli import __main__ as command

        def verb(words):
            raise KeyboardInterrupt

        command.run_verb = verb
        sys.exit(command.main())
        """,
    ],
    ids=["imports", "exec", "a second one"],
)
def test_it_ends_with_its_status(code, tmp_path):
    assert status_of(code, tmp_path) == 130


def test_one_that_comes_when_all_is_done_changes_nothing(tmp_path):
    code = """
    import atexit, os, signal
    import keras_dtl
    class Late:
        def __del__(self, kill=os.kill, process=os.getpid(), number=signal.SIGINT):
            kill(process, number)
    late = Late()
    sys.late = late
    from keras_dtl.interrupts import raising
    with raising():
        pass
    sys.exit(3)
    """
    assert status_of(code, tmp_path) == 3


def test_a_program_of_ones_own_keeps_its_handler():
    code = "import keras_dtl, signal\nprint(signal.getsignal(signal.SIGINT))"
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=answer_to_interrupts,
    )
    assert "default_int_handler" in told.stdout


def test_imports_end_at_once(tmp_path):
    code = """
    import os, signal
    from keras_dtl.interrupts import raising, stop_at_once
    with raising(), stop_at_once():
        os.kill(os.getpid(), signal.SIGINT)
        os._exit(1)
    """
    assert status_of(code, tmp_path) == 130
