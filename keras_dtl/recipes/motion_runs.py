"""Motion that a finished run is scored on: of its skeleton, with labels as it counts them."""

import dataclasses

import numpy as np

from keras_dtl.recipes.motion import MotionData

KINDS = {"action": "actions", "style": "styles"}


def motion_of_run(data: MotionData, settings: dict, folder) -> MotionData:
    """Return motion with labels as a run counts them.

    Args:
        data: What the recipe loaded.
        settings: Those of the run.
        folder: Of the run, for the message.

    Raises:
        ValueError: When the joints are others, or what the run tells its decoder is unknown to it.
    """
    joints = tuple(settings.get("skeleton", {}).get("names", ()))
    found = tuple(data.clips.skeleton.names)
    if joints and found != joints:
        raise ValueError(
            f"{folder} learnt motion of the joints {', '.join(joints)}. Received: "
            f"{', '.join(found)}. Score it on clips of its own skeleton."
        )
    for kind, field in KINDS.items():
        known, names = settings.get(field), getattr(data.clips, f"{kind}_names")
        if not isinstance(known, list) or tuple(known) == names:
            continue
        unknown = [name for name in names if name not in known]
        if not unknown:
            data = _renumbered(data, field, kind, tuple(known))
        elif settings.get("condition") == kind:
            raise ValueError(
                f"{folder} learnt the {field} {', '.join(known)}. Received: {', '.join(unknown)} "
                "among others. Leave these clips out."
            )
    return data


def _renumbered(data, field, kind, known):
    names = getattr(data.clips, f"{kind}_names")
    places = np.array([known.index(name) for name in names], "int32")

    def clips(part):
        changes = {field: places[getattr(part, field)], f"{kind}_names": known}
        return dataclasses.replace(part, **changes)

    def windows(part):
        return None if part is None else part._replace(**{field: places[getattr(part, field)]})

    return MotionData(type(data.split)(*map(clips, data.split)), *map(windows, data[1:]))
