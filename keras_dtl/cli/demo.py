"""The whole way on embedded data: train, compare, export, convert, report.

keras-dtl demo
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from keras_dtl.cli.command import FAILED, SUCCESS
from keras_dtl.recipes.runs import check_places

BRIEF = {"epochs": 10, "batch_size": 32, "min_steps": 100}
"""Of both trainings: a sixth of the images that the recipe shows, in less than half the time."""
FILES = 40
"""How many image files are written to be classified."""


@dataclass(frozen=True)
class Demo:
    """Train a classifier with and without adaptation, export it and classify a folder of files.

    Takes one to two minutes on two CPU cores and downloads nothing.
    """

    seed: int = 0
    """Choice of initial weights and of the order of the data."""
    output: Path = Path("runs/demo")
    """Folder for both runs, the image files and their predictions."""
    artifact: Path = Path("exported/dann")
    """Where the adapted classifier is published."""


def main(arguments: Demo) -> int:
    """Train both classifiers, publish the adapted one, classify files; return the exit status."""
    from keras_dtl.cli.quiet import hear_onednn_out
    from keras_dtl.cli.session import start_session
    from keras_dtl.recipes import RECIPES
    from keras_dtl.recipes.training import publish

    check_places(arguments.output, arguments.artifact)
    print(start_session(arguments.seed, onednn=True))
    hear_onednn_out()
    values = {"seed": arguments.seed, "resume": True}
    values |= {"preset": "paper", **BRIEF}  # digits are what these settings were made for
    recipes = {
        name: RECIPES[name](output=arguments.output / name, artifact=arguments.artifact, **values)
        for name in ("source-only", "dann")
    }
    bound, adapted = train_both(*recipes.values(), values)
    exported = publish(
        recipes["dann"],
        adapted,
        before=("source only", bound.model),
        comparison={
            name: trained.scores["target"]["accuracy"]
            for name, trained in (("source-only", bound), ("dann", adapted))
        },
    )
    if not exported:
        print(f"failed: {recipes['dann'].verdict(adapted.scores)}", file=sys.stderr)
        return FAILED
    print(f"Artifact: {arguments.artifact}, with its report in report.html.")
    return classify(arguments, adapted.data.target_test)


def train_both(bound, adapted, values: dict):
    """Train two recipes on the same data, at the same time where there is a core for each.

    Args:
        bound: The `Recipe` that may be trained in a process of its own.
        adapted: The `Recipe` that is trained in this one.
        values: Fields of both.

    Returns:
        The `Trained` of each.
    """
    from keras_dtl.cli.training_beside import TrainingBeside
    from keras_dtl.convert.runtimes.cores import core_count
    from keras_dtl.recipes.training import finished_run, print_headline, train

    if core_count() < 2:
        trained = train(bound)
        return trained, train(adapted, trained.data)
    log = bound.run_folder.with_suffix(".log")
    with TrainingBeside(bound.name, bound.run_folder, log, **values) as beside:
        print(f"{bound.name} is trained at the same time: {log}")
        trained = train(adapted)
        beside.finish()
    finished = finished_run(bound, trained.data)
    print_headline(bound, finished)
    return finished, trained


def classify(arguments: Demo, test) -> int:
    """Write some test images to files, as a user would have them, and convert the folder.

    Args:
        arguments: Those of the command.
        test: `LabelledImages`, of which the first `FILES` are written.

    Returns:
        The exit status of the conversion.
    """
    from keras_dtl.cli.convert import tell_report
    from keras_dtl.convert import convert_folder, load_artifact
    from keras_dtl.images import write_image

    folder, predictions = arguments.output / "images", arguments.output / "predictions"
    for index in range(FILES):
        name = test.classes[test.labels[index]]
        write_image(folder / name / f"{index:03}.png", test.images[index])
    report = convert_folder(load_artifact(arguments.artifact), folder, predictions, overwrite=True)
    if report.exit_status:
        return tell_report(report)
    print(f"{report.converted} files of {folder} classified: {predictions / 'predictions.csv'}")
    return SUCCESS
