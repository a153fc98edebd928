"""A training in a process of its own, beside the one in this process."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from keras_dtl.cli.command import FAILED, MENDABLE, SUCCESS, tell
from keras_dtl.import_path import command_of, environment

_ERROR = "error: "  # as `tell` begins


class TrainingBeside:
    """Trains a recipe while this process does something else; it ends with this process.

    Use it in a `with` statement: whoever leaves that early stops the training.

    Args:
        recipe: Name of the recipe.
        output: Its run folder.
        log: File for what it prints.
        **values: Its other fields.
    """

    def __init__(self, recipe: str, output: Path, log: Path, **values: Any):
        self.request = json.dumps({"recipe": recipe, "output": str(output), **values})
        self.log = log

    def __enter__(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command_of("keras_dtl.cli.training_beside"),
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.process.stdin.write(self.request + "\n")
        self.process.stdin.flush()
        return self

    def finish(self) -> None:
        """Wait for its end.

        Raises:
            OSError: It failed by what a user can mend, such as a full disk.
            RuntimeError: It failed otherwise.
        """
        status = self.process.wait()
        if status:
            lines = self.log.read_text("utf-8", errors="replace").splitlines()
            told = [line for line in lines if line.startswith(_ERROR)]
            if status == FAILED and told:
                raise OSError(f"{told[-1].removeprefix(_ERROR)} See {self.log}.")
            said = lines[-1] if lines else "nothing"
            raise RuntimeError(
                f"A training in a process of its own ended with status {status}; see {self.log}, "
                f"which ends: {said}"
            )

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


def _end_with_parent():
    """End this process as soon as the one that began it is gone."""
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Train what one line of JSON on standard input says."""
    values = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()

    from keras_dtl.cli.session import start_session
    from keras_dtl.recipes import RECIPES
    from keras_dtl.recipes.training import train

    output = Path(values.pop("output"))
    recipe = RECIPES[values.pop("recipe")](output=output, **values)
    print(start_session(recipe.seed, onednn=recipe.onednn), flush=True)
    try:
        train(recipe)
        status = SUCCESS
    except MENDABLE as error:
        status = tell(error)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # a thread still waits for the parent's end
