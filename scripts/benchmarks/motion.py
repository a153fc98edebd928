"""Motion capture: style transfer and synthesis on Bandai-Namco-Research-Motiondataset-2.

    python scripts/benchmarks/motion.py --source npz:bandai2_subset.npz --seeds 3 --minutes 60

Clips are split by clip inside each cell of action and style, and whole cells are held out, other
ones for each seed. Judges are fitted on real clips and never see the method; ceilings are theirs on
real test clips. Normalisation is of the training clips alone; last iterate. Resumable: a row and
seed that is done is not repeated, a training that was killed goes on after its last epoch. Writes
results/motion.json, and players of the transfers to the folders of the runs.
"""

import argparse
import json
import time
from pathlib import Path

from record import groups, run_missing, summary

from keras_dtl.cli.session import start_session
from keras_dtl.recipes.motion_aae import MotionAAERecipe
from keras_dtl.recipes.motion_gmv import MotionGMVRecipe
from keras_dtl.recipes.motion_style import MotionStyleRecipe
from keras_dtl.recipes.training import train

RUNS = Path("runs/benchmarks/motion")
ROWS = {
    "style": (
        MotionStyleRecipe,
        {
            **{"epochs": 25, "filters": 96, "held_out": 5, "content": 96},
            **{"reconstruction_weight": 10.0, "velocity_weight": 20.0},
        },
    ),
    "style, recurrent": (
        MotionStyleRecipe,
        {
            **{"epochs": 8, "kind": "recurrent", "filters": 96, "held_out": 5, "content": 96},
            **{"reconstruction_weight": 10.0, "velocity_weight": 20.0},
        },
    ),
    "synthesis": (MotionAAERecipe, {"epochs": 20, "units": 256, "code": 64, "held_out": 5}),
    "synthesis, recurrent": (
        MotionAAERecipe,
        {
            **{"epochs": 60, "units": 128, "code": 32, "held_out": 5, "adversarial_weight": 1.0},
            **{"learning_rate": 3e-3, "critic_learning_rate": 3e-3, "kind": "recurrent"},
        },
    ),
    "pairs": (MotionGMVRecipe, {"epochs": 40, "filters": 96, "held_out": 5}),
    "pairs, agreeing": (
        MotionGMVRecipe,
        {"epochs": 20, "filters": 96, "held_out": 5, "agreement_weight": 4.0},
    ),
    "walker": (MotionStyleRecipe, {"source": "walker"}),
    "walker, synthesis": (MotionAAERecipe, {"source": "walker"}),
}
"""Recipe and fields; the last two are the recipes as they come, on the embedded walker."""
AIMS = {
    "style_of_ceiling": (0.85, None),
    "action_of_ceiling": (0.90, None),
    "velocity_mean_ratio": (0.8, 1.2),
    "velocity_deviation_ratio": (0.8, 1.2),
    "bone_deviation": (None, 1e-6),
}
"""Least and most of transfers between test clips."""


def run_once(row, source, seed, changes):
    """Train and score once; the report and its player go to the run's folder."""
    kind, fields = ROWS[row]
    folder = RUNS / f"{row.replace(', ', '-')}-{seed}"
    fields = {"source": source, **fields, **changes, "seed": seed}
    recipe = kind(output=folder, resume=True, **fields)
    start_session(seed)
    begun = time.process_time()
    trained = train(recipe)
    seconds = time.process_time() - begun
    recipe.report(*trained[:4]).write(folder / "report.html")
    settings = {key: value for key, value in recipe.settings().items() if key != "source"}
    return {
        "scores": trained.scores,
        "settings": settings,
        "cpu_seconds_since_last_start": round(seconds),
    }


def figures_of(scores):
    """Return what is summed up of one run."""
    found = {}
    if "agreement" in scores:
        found["pairs"] = {key: value for key, value in scores.items() if isinstance(value, float)}
    for part in ("transfers", "to_held_out_cells", "from_held_out_cells", "samples"):
        if part in scores:
            found[part] = {
                key: value for key, value in scores[part].items() if isinstance(value, float)
            }
            for name in ("mean_ratio", "deviation_ratio"):
                found[part][f"velocity_{name}"] = scores[part]["velocity"][name]
            found[part]["bone_deviation"] = scores[part]["physics"]["made"]["bone_deviation"]
    if "factors" in scores:
        correlations = scores["factors"].items()
        found["factors"] = {name: values["correlation"] for name, values in correlations}
    return found


def row_summaries(runs):
    """Return mean and deviation over seeds of each figure, by row."""
    rows = {
        row: [figures_of(run["scores"]) for run in found] for row, found in groups(runs).items()
    }
    return {
        row: {
            part: {
                name: {**summary(run[part][name] for run in found), "seeds": len(found)}
                for name in found[0][part]
                if all(name in run[part] for run in found)
            }
            for part in found[0]
        }
        for row, found in rows.items()
    }


def aims_reached(transfers):
    """Return which aims the mean over seeds reaches."""
    found = {}
    for name, (least, most) in AIMS.items():
        value = transfers[name]["mean"]
        found[name] = (least is None or value >= least) and (most is None or value <= most)
    return found


def result_of(runs):
    summed = row_summaries(runs)
    return {
        "what": "transfers between test clips of Bandai-Namco-Research-Motiondataset-2, a subset "
        "of 560 clips (walker: of the embedded walker); accuracies as shares of the judges' own on "
        "real test clips",
        "selection": "last iterate",
        "aims": {name: list(bounds) for name, bounds in AIMS.items()},
        "reached": {
            row: aims_reached(parts["transfers"])
            for row, parts in summed.items()
            if "transfers" in parts
        },
        "summary": summed,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", help="npz:PATH or bvh:PATH; not for rows of the walker")
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=["style", "synthesis"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="other than a row's own")
    parser.add_argument("--minutes", type=float, help="begin no run after so many minutes")
    arguments = parser.parse_args()
    if not arguments.source and any("source" not in ROWS[row][1] for row in arguments.rows):
        parser.error("--source names the clips, but for the rows of the walker alone")
    changes = {"epochs": arguments.epochs} if arguments.epochs else {}
    run_missing(
        "motion",
        [(row, seed) for seed in range(arguments.seeds) for row in arguments.rows],
        lambda row, seed: run_once(row, arguments.source, seed, changes),
        result_of,
        arguments.minutes,
        show=lambda run: json.dumps(figures_of(run["scores"]), indent=1),
    )


if __name__ == "__main__":
    main()
