"""The whole way on embedded data: train, compare, export, convert, report.

keras-dtl demo
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from keras_dtl.cli.command import FAILED

FILES = 40
"""How many image files are written to be classified."""


@dataclass(frozen=True)
class Demo:
    """Train a classifier with and without adaptation, export it and classify a folder of files.

    Takes about three minutes on two CPU cores and downloads nothing.
    """

    seed: int = 0
    """Choice of initial weights and of the order of the data."""
    output: Path = Path("runs/demo")
    """Folder for both runs, the image files and their predictions."""
    artifact: Path = Path("exported/dann")
    """Where the adapted classifier is published."""


def main(arguments: Demo) -> int:
    """Train both classifiers, publish the adapted one, classify files; return the exit status."""
    from keras_dtl.cli.session import start_session
    from keras_dtl.recipes import RECIPES
    from keras_dtl.recipes.training import publish, train

    print(start_session(arguments.seed))
    recipes = {
        name: RECIPES[name](
            seed=arguments.seed,
            output=arguments.output / name,
            artifact=arguments.artifact,
            preset="paper",  # digits are what its settings were made for
            resume=True,
        )
        for name in ("source-only", "dann")
    }
    bound = train(recipes["source-only"])
    adapted = train(recipes["dann"], bound.data)
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


def classify(arguments: Demo, test) -> int:
    """Write some test images to files, as a user would have them, and convert the folder.

    Args:
        arguments: Those of the command.
        test: `LabelledImages`, of which the first `FILES` are written.

    Returns:
        The exit status of the conversion.
    """
    from keras_dtl.convert import convert_folder, load_artifact
    from keras_dtl.images import write_image

    folder, predictions = arguments.output / "images", arguments.output / "predictions"
    for index in range(FILES):
        name = test.classes[test.labels[index]]
        write_image(folder / name / f"{index:03}.png", test.images[index])
    report = convert_folder(load_artifact(arguments.artifact), folder, predictions, overwrite=True)
    print(f"{report.converted} files of {folder} classified: {predictions / 'predictions.csv'}")
    return report.exit_status
