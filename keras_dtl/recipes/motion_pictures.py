"""What transferred and drawn motion looks like: stick figures, a moving picture, a player."""

from collections.abc import Callable, Sequence

import numpy as np

from keras_dtl.evaluation import figures
from keras_dtl.evaluation.motion_scores import BATCH, other_styles
from keras_dtl.evaluation.prediction import predict
from keras_dtl.motion import features_of, positions_of

SCENES = 6
"""How many transfers or samples are shown."""
PLAYER = "motion.html"
_FRAMES = 180


def add_transfers(report, model, data, seed: int = 0) -> None:
    """Add transfers between test clips to a report, with a player beside it.

    Args:
        report: The `Report`.
        model: The `SequenceStyleTransfer`.
        data: The `MotionData`.
        seed: Choice of the styles.
    """
    clips, random = data.split.test, np.random.default_rng(seed)
    chosen = np.unique(np.linspace(0, len(clips) - 1, SCENES).round().astype(int))
    others = other_styles(clips.styles[chosen], clips.styles, random)
    scenes = {}
    for content, style in zip(chosen, others, strict=True):
        first, second = (
            features_of(clips.positions[index][:_FRAMES], clips.skeleton)
            for index in (content, style)
        )
        made = np.asarray(model((first[None], second[None])))[0]
        names = _name(clips, content), clips.style_names[clips.styles[style]]
        motions = {
            names[0]: first,
            f"in the style {names[1]}": made,
            f"style of {_name(clips, style)}": second,
        }
        scenes[f"{names[0]} to {names[1]}"] = _positions(motions, clips.skeleton)
    _add(report, scenes, clips, "Transfers between test clips: content, result, style.")


def _name(clips, index):
    action, style = clips.action_names[clips.actions[index]], clips.style_names[clips.styles[index]]
    return f"{action}, {style}"


def _positions(motions, skeleton):
    return {name: positions_of(features, skeleton) for name, features in motions.items()}


def add_samples(
    report, model, data, labels: Callable, names: Sequence[str], length: int, seed: int = 0
) -> None:
    """Add drawn motions beside what real test windows become, with a player.

    Args:
        report: The `Report`.
        model: The `SequentialAdversarialAutoencoder`.
        data: The `MotionData`.
        labels: Function from windows to the labels that the decoder is told, or None.
        names: Of these labels.
        length: Of what is drawn, in frames.
        seed: Choice of the windows.
    """
    test, clips = data.test, data.split.test
    chosen = np.random.default_rng(seed).permutation(len(test.features))[:SCENES]
    told = labels(test)
    inputs = test.features[chosen] if told is None else (test.features[chosen], told[chosen])
    rebuilt = predict(model, inputs, BATCH)
    wanted = None if told is None else told[chosen]
    drawn = np.asarray(model.sample(len(chosen), length, wanted))
    scenes = {}
    for place, index in enumerate(chosen):
        name = names[told[index]] if told is not None else "any"
        motions = {"real": test.features[index], "rebuilt": rebuilt[place]}
        motions[f"drawn: {name}"] = drawn[place]
        scenes[f"{place + 1}: {name}"] = _positions(motions, clips.skeleton)
    _add(report, scenes, clips, "A test window, what its code becomes, and a draw.")


def add_pairs(report, model, data, seed: int = 0) -> None:
    """Add drawn motions, each content in two styles, with a player.

    Args:
        report: The `Report`.
        model: The `SequenceGMV`.
        data: The `MotionData`.
        seed: Of the codes.
    """
    random, clips = np.random.default_rng(seed), data.split.test
    shapes = [(SCENES, model.content_numbers), *[(SCENES, model.view_numbers)] * 2]
    content, *styles = (random.standard_normal(shape).astype("float32") for shape in shapes)
    made = [np.asarray(model((content, style))) for style in styles]
    scenes = {}
    for place in range(SCENES):
        motions = {"one style": made[0][place], "another": made[1][place]}
        scenes[f"content {place + 1}"] = _positions(motions, clips.skeleton)
    _add(report, scenes, clips, "One drawn content in two drawn styles.")


def _add(report, scenes, clips, caption):
    first = next(iter(scenes.values()))
    report.add_figure("Motion", figures.stick_figures(first, clips.skeleton), caption)
    moving = figures.stick_figure_gif(first, clips.skeleton, clips.rate)
    report.add_animation("Motion", moving, "The same, moving.")
    page = figures.motion_player(scenes, clips.skeleton, clips.rate, report.title)
    report.add_file("Motion", PLAYER, page, "Player: all scenes, side by side, from every side.")
