"""The console command `keras-dtl`: the first word is the verb, which alone is imported."""

import importlib
import os
import sys

from keras_dtl.import_path import forget_current_folder
from keras_dtl.interrupts import INTERRUPTED, forget_interrupt
from keras_dtl.version import __version__

VERBS = {
    "train": "fit a recipe, score it and export what it learnt",
    "adapt": "adapt a trained run to other images, without those it learnt from",
    "search": "train methods and settings in turn and choose without target labels",
    "check": "say what a data set would be taken for, without training",
    "evaluate": "score a trained run again, on its own data or on other",
    "export": "turn a trained run into an artifact for production",
    "convert": "run an artifact over a folder of images",
    "push": "put an artifact on the Hugging Face hub, with a card",
    "stylize": "give an image or a folder the style of a painting, by optimisation",
    "study": "ask which layers of a network transfer to another task",
    "recipes": "list the recipes that can be trained",
    "demo": "the whole way on embedded data, in one to two minutes",
}

WITHOUT_KERAS = ("convert", "push", "recipes")
"""Verbs that never import Keras, whatever it is set to."""
BROKEN_PIPE = 141
"""Exit status where the reader of the output has gone, as of any command that SIGPIPE ends."""


def usage() -> str:
    """Return the help of the command itself: all verbs, a line each."""
    verbs = "\n".join(f"  {verb:10} {what}" for verb, what in VERBS.items())
    return (
        "usage: keras-dtl VERB ...\n\n"
        f"Deep transfer learning for TensorFlow and Keras 3, version {__version__}.\n\n"
        f"verbs:\n{verbs}\n\nkeras-dtl VERB --help says more."
    )


def main(argv: list[str] | None = None) -> int:
    """Run the command that words name; end quietly where a reader such as `head` has gone.

    Args:
        argv: Words of the command line; those of this process by default.
    """
    try:
        try:
            return run_verb(argv)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:  # a second one, while the first was answered
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    finally:
        forget_interrupt()


def run_verb(argv: list[str] | None = None) -> int:
    """Import the verb that the first word names, run it and return the exit status.

    Args:
        argv: Words of the command line; those of this process by default.
    """
    if argv is None:
        forget_current_folder()
    words = sys.argv[1:] if argv is None else argv
    verb = words[0] if words else "--help"
    if verb in ("-h", "--help"):
        print(usage())
        return 0
    if verb == "help":  # `help train dann` is `train dann --help`
        return run_verb([*words[1:], "--help"])
    if verb in ("-V", "--version"):
        print(__version__)
        return 0
    from keras_dtl.cli.words import answer, mistake

    if verb not in VERBS:
        said = mistake(f"there is no verb {verb!r}", verb, VERBS, "keras-dtl help")
        print(f"{said}\n\n{usage()}", file=sys.stderr)
        return 2
    from keras_dtl.cli.command import FAILED, run, stop_at_once

    with stop_at_once():
        module = importlib.import_module(f"keras_dtl.cli.{verb}")
    arguments_class, parse = getattr(module, verb.title()), getattr(module, "parse", None)
    if found := answer(arguments_class, words[1:], f"keras-dtl {verb}"):
        text, status = found
        print(text, file=sys.stderr if status else sys.stdout)
        raise SystemExit(status)
    if verb not in WITHOUT_KERAS:
        from keras_dtl.cli.keras_settings import check_keras_settings

        try:
            check_keras_settings()
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            return FAILED
    return run(arguments_class, module.main, words[1:], f"keras-dtl {verb}", parse)


if __name__ == "__main__":
    sys.exit(main())
