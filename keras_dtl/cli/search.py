"""Train methods and settings in turn, choose without target labels, and export the choice.

keras-dtl search --source digits --target digits_m
keras-dtl search --source folder:photos --target folder:scans --methods mcc dann --epochs 10
"""

from dataclasses import dataclass
from pathlib import Path

from keras_dtl.cli.command import INTERRUPTED, PARTLY, SUCCESS
from keras_dtl.cli.quiet import hear_onednn_out, import_tensorflow
from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe
from keras_dtl.recipes.flags import check_flags


@dataclass(frozen=True)
class Search(DomainAdaptationRecipe):
    """Train methods x settings, rank them without target labels, and export the best.

    Target labels, where there are any, tell afterwards what the choice was worth and what it
    would have cost to trust each validator alone; they choose nothing. A search that was stopped
    goes on where it was when the same command is given again, and a method that is added later is
    trained beside what is there.
    """

    methods: tuple[str, ...] = ()
    """Methods to train, beside source-only. Default: all that suit the network."""
    rates: tuple[float, ...] = (0.01, 0.003)
    """Learning rates to try with each method."""
    adaptation_weights: tuple[float, ...] = (1.0, 0.3)
    """Weights of the adaptation loss to try with each method that has one."""

    @property
    def run_folder(self):
        return self.output or Path("runs/search")

    @property
    def artifact_folder(self):
        return self.artifact or Path("exported/search")


def main(arguments):
    from keras_dtl.cli.session import start_session
    from keras_dtl.recipes import RECIPES
    from keras_dtl.recipes.runs import check_places

    check_flags(arguments)
    check_places(arguments.run_folder, arguments.artifact_folder)
    import_tensorflow(onednn=True)
    from keras_dtl.data.summary import told_once
    from keras_dtl.evaluation import rank_candidates
    from keras_dtl.recipes.search import candidate_recipes, run_candidates, write_ranking

    def start(recipe):
        return start_session(recipe.seed, recipe.mixed_precision, recipe.jit, onednn=True)

    print(start(arguments))
    hear_onednn_out()
    for line in arguments.data_lines():
        print(line)
    with told_once():
        data = arguments.load_data()
    methods = methods_for(arguments, data)
    settings = (methods, arguments.rates, arguments.adaptation_weights, arguments.run_folder)
    recipes = candidate_recipes(arguments, RECIPES, *settings)
    try:
        candidates, accuracies = run_candidates(recipes, data, start)
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on.")
        return INTERRUPTED
    baseline, classes = next(iter(recipes)), data.source_train.classes
    ranking = rank_candidates(candidates, baseline, arguments.seed, classes)
    result = write_ranking(arguments.run_folder, ranking, accuracies)
    print(ranking_text(result))
    is_published = publish_winner(arguments, recipes[result["winner"]], data)
    return SUCCESS if is_published else PARTLY


def methods_for(arguments, data):
    """Return the methods to train: adabn only where the network has statistics to adapt.

    Raises:
        ValueError: When adabn is asked for by name and there are none.
    """
    from keras_dtl.methods import check_statistics
    from keras_dtl.recipes import RECIPES
    from keras_dtl.recipes.search import ORDER

    methods = list(arguments.methods or [n for n in ORDER if n in RECIPES or n == "adabn"])
    if "adabn" not in methods:
        return methods
    try:
        check_statistics(*arguments.networks(data), trained=bool(arguments.weights))
    except ValueError:
        if arguments.methods:
            raise
        methods.remove("adabn")
    return methods


def ranking_text(result):
    """Return the ranking as lines of text, best first."""
    lines = [f"{'':4}{'score':>6} {'target':>7}  candidate"]
    for place, row in enumerate(result["ranking"], 1):
        accuracy = row["target_accuracy"]
        known = "" if accuracy is None else f"{accuracy:.1%}"
        refused = f" (refused: {row['refused']})" if row["refused"] else ""
        lines.append(f"{place:3} {row['score']:6.2f} {known:>7}  {row['name']}{refused}")
    for validator, regret in result.get("regret", {}).items():
        lines.append(f"Choosing by {validator} costs {100 * regret:.1f} points on the target.")
    return "\n".join(lines)


def publish_winner(arguments, recipe, data):
    """Write the winner's report and export it; return whether it was worth that."""
    import dataclasses

    from keras_dtl.recipes.training import finished_run, publish_and_tell

    trained = finished_run(recipe, data)
    winner = dataclasses.replace(recipe, artifact=arguments.artifact_folder)
    return publish_and_tell(winner, trained)
