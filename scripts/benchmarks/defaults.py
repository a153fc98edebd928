"""Every recipe with its default settings, on folders that a user could have.

    python scripts/benchmarks/defaults.py --pacs DATA/pacs --weights MOBILENET.h5 --cases photos-64

Each case makes two folders, of 60 images each of four classes of PACS, or fewer, unbalanced, grey;
`digits` needs none. Each recipe is trained on it as `keras-dtl train` would, with several seeds,
and with a sweep of learning rates, one seed each, whose best training accuracy the default is read
against. Resumable run by run; several processes may share the file. Writes results/defaults.json.
Of the default length, a run at 64 pixels takes 5 to 15 minutes of a CPU core, hence --epochs.
From random weights source-only guesses at the sketches, so no method can end far below it; with
pretrained weights it knows half of the paintings.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from record import groups, in_a_process, run_missing, summary

CLASSES = ("dog", "elephant", "giraffe", "horse")
CASES = {
    "photos-64": {"size": 64},
    "photos-96": {"size": 96},
    "photos-128": {"size": 128},
    "photos-96-pretrained": {"size": 96, "pretrained": True},
    "paintings-96-pretrained": {"size": 96, "pretrained": True, "target": "art_painting"},
    "two-classes-64": {"size": 64, "classes": 2, "images": 20},
    "unbalanced-64": {"size": 64, "classes": 2, "images": 90, "first": 10},
    "grey-64": {"size": 64, "grey": True},
    "digits": {},
}
RECIPES = (
    *("source-only", "mcc", "dann", "cdan", "dan", "deep-coral", "adda", "mme", "ccsa"),
    "fine-tuning",
)
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
FURTHER = 150
"""Sketches of each class beside those of the case, of which four fifths are asked about: a fifth of
a small folder is too few images to tell two methods apart."""
WORDS = ("CASE", "RECIPE", "RATE", "EPOCHS", "SEED")
"""Of a run."""
COLLAPSED = 1.1
"""Times the accuracy of guessing below which a training counts as collapsed."""

ONE_CLASS = 98
"""Percent of equal answers to the target's images from which on a training counts so, too."""


def folders(pacs, case, place):
    """Write the photos and sketches of a case, or paintings in their place.

    Returns:
        Names, as flags take them, of photos, sketches, and sketches that are no part of the case.
    """
    names, target = CLASSES[: case.get("classes", len(CLASSES))], case.get("target", "sketch")
    for index, name in enumerate(names):
        count = case.get("images", 60) if index or "first" not in case else case["first"]
        for domain, kind, part in (
            ("photo", "photo", slice(count)),
            ("sketch", target, slice(count)),
            ("further", target, slice(count, count + FURTHER)),
        ):
            for path in sorted((pacs / kind / name).iterdir())[part]:
                write_copy(path, place / domain / name / f"{path.stem}.png", case.get("grey"))
    return [f"folder:{place / domain}" for domain in ("photo", "sketch", "further")]


def write_copy(path, copy, grey):
    from keras_dtl.images import read_image, write_image

    image = read_image(path)
    write_image(copy, image.mean(-1, keepdims=True).astype("uint8") if grey else image)


def recipe_of(name, case, source, target, weights, **given):
    """Return a recipe with nothing set but what a user must."""
    from keras_dtl.recipes import RECIPES as KNOWN

    fields = {"image_size": case["size"]} if "size" in case else {}
    if case.get("pretrained"):
        fields["backbone"] = "MobileNetV2"
        fields["start" if name == "fine-tuning" else "weights"] = weights
    if name == "fine-tuning":
        return KNOWN[name](target=source, **fields, **given)
    return KNOWN[name](source=source, target=target, **fields, **given)


def train_once(arguments, case_name, name, rate, epochs, seed):
    """Train in this process, and return accuracies in percent and what failed."""
    from keras_dtl.cli.session import start_session
    from keras_dtl.recipes.training import train

    case = CASES[case_name]
    given = {} if rate == "default" else {"learning_rate": float(rate)}
    given |= {} if epochs == "own" else {"epochs": int(epochs)}
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        names = ("digits", "digits_m", None)
        if case_name != "digits":
            names = folders(arguments.pacs, case, place)
        given |= {"seed": seed, "output": place / "run"}
        recipe = recipe_of(name, case, *names[:2], arguments.weights, **given)
        start_session(seed)
        try:
            trained = train(recipe)
        except ArithmeticError as error:  # diverged
            return {"diverged": str(error)}
        further = None if name == "fine-tuning" else further_images(names[2], case)
        return figures(recipe, trained, name, further)


def further_images(name, case):
    """Return the `LabelledImages` of a folder that had no part in the training, if there is one."""
    from keras_dtl.data import load

    return None if name is None else load(name, "train", image_size=case["size"], channels=3)


def answers_on(model, examples):
    """Return the share of right answers, and that of the commonest answer, in percent."""
    answers = model.predict(examples.images, batch_size=64, verbose=0).argmax(1)
    right, most = np.mean(answers == examples.labels), np.bincount(answers).max() / len(answers)
    return 100 * float(right), 100 * float(most)


def figures(recipe, trained, name, further):
    data, model = trained.data, trained.model.deployable()
    learnt = data.train if name == "fine-tuning" else recipe.labelled_images(data)
    accuracy = answers_on(model, learnt)[0]
    scores = {domain: 100 * score["accuracy"] for domain, score in trained.scores.items()}
    if further is not None:
        scores["further"], scores["commonest"] = answers_on(model, further)
    chance = 100 / len(learnt.classes)
    own = scores.get("source", scores.get("target"))
    lost = own < 0.5 * chance or scores.get("commonest", 0) > ONE_CLASS
    return {
        "training": accuracy,
        **scores,
        "collapsed": accuracy < COLLAPSED * chance or lost,
        "failures": [failure.name for failure in trained.failures],
        "epochs": recipe.epochs,
    }


def result_of(runs):
    """Return the table: each recipe on each case, with the default and the best rate."""
    rows = []
    by_rate = {}
    for key, found in groups(runs).items():
        case, name, rate, epochs = key.split()
        by_rate.setdefault((case, name, epochs), {})[rate] = found
    for (case, name, epochs), rates in by_rate.items():
        default = [run for run in rates.pop("default", []) if "diverged" not in run]
        swept = [run["training"] for runs_ in rates.values() for run in runs_ if "training" in run]
        begun = groups(runs).get(f"{case} {name} default {epochs}", [])
        lost = sum("diverged" in run for run in begun)
        row = {"case": case, "recipe": name, "epochs": epochs, "diverged": lost}
        row["seeds"] = len(begun)
        for figure in ("training", "source", "target", "further", "commonest"):
            values = [run[figure] for run in default if figure in run]
            row[figure] = summary(values) if values else None
        row["collapsed"] = sum(run["collapsed"] for run in default)
        row["best_of_sweep"] = max(swept, default=None)
        rows.append(row)
    what = "accuracies in percent with default settings; epochs own: as many as the recipe has"
    return {"what": what, "rates": RATES, "rows": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pacs", type=Path, help="folder of PACS: photo/, sketch/, art_painting/")
    parser.add_argument("--weights", help="weights of MobileNetV2 without its top")
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=RECIPES)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", default="own", help="a number instead of the recipe's own")
    parser.add_argument("--no-sweep", action="store_true", help="default settings alone")
    parser.add_argument("--minutes", type=float, help="begin no further run after so many")
    parser.add_argument("--once", nargs=len(WORDS), metavar=WORDS)
    arguments = parser.parse_args()
    if arguments.once:
        *words, seed = arguments.once
        print(json.dumps(train_once(arguments, *words, int(seed))))
        return
    wanted = [
        (c, r, "default", arguments.epochs, s)
        for s in range(arguments.seeds)
        for c in arguments.cases
        for r in arguments.recipes
    ]
    if not arguments.no_sweep:
        wanted += [
            (c, r, rate, arguments.epochs, 0)
            for c in arguments.cases
            for r in arguments.recipes
            for rate in RATES
        ]
    flags = [
        part
        for name in ("pacs", "weights")
        if getattr(arguments, name) is not None
        for part in (f"--{name}", getattr(arguments, name))
    ]
    run_missing(
        "defaults",
        wanted,
        lambda *words: in_a_process(__file__, *flags, "--once", *words),
        result_of,
        arguments.minutes,
    )


if __name__ == "__main__":
    main()
