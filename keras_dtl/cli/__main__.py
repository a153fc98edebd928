"""The console command `keras-dtl`: the first word is the verb, which alone is imported."""

import importlib
import sys

from keras_dtl.import_path import forget_current_folder
from keras_dtl.version import __version__

VERBS = {
    "train": "fit a recipe, score it and export what it learnt",
    "evaluate": "score a trained run again, on its own data or on other",
    "export": "turn a trained run into an artifact for production",
    "convert": "run an artifact over a folder of images",
    "stylize": "give an image or a folder the style of a painting, by optimisation",
    "study": "ask which layers of a network transfer to another task",
    "recipes": "list the recipes that can be trained",
    "demo": "the whole way on embedded data, in about three minutes",
}


def usage() -> str:
    """Return the help of the command itself: all verbs, a line each."""
    verbs = "\n".join(f"  {verb:10} {what}" for verb, what in VERBS.items())
    return (
        "usage: keras-dtl VERB ...\n\n"
        f"Deep transfer learning for TensorFlow and Keras 3, version {__version__}.\n\n"
        f"verbs:\n{verbs}\n\nkeras-dtl VERB --help says more."
    )


def main(argv: list[str] | None = None) -> int:
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
    if verb == "--version":
        print(__version__)
        return 0
    if verb not in VERBS:
        print(f"error: there is no verb {verb!r}.\n\n{usage()}", file=sys.stderr)
        return 2
    from keras_dtl.cli.command import run, stop_at_once

    with stop_at_once():
        module = importlib.import_module(f"keras_dtl.cli.{verb}")
    return run(getattr(module, verb.title()), module.main, words[1:], prog=f"keras-dtl {verb}")


if __name__ == "__main__":
    sys.exit(main())
