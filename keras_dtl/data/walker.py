"""A procedural walker: motion whose true factors are known, so that nothing needs a download."""

import numpy as np

from keras_dtl.motion import Skeleton, axis_rotation

RATE = 30.0
FACTORS = ("frequency", "amplitude", "lean", "arms")
"""Gait cycles a second; swing of the thighs in radians; lean of the trunk to the front in radians;
distance of the arms from the body in radians."""
GAITS = {"stroll": (0.7, 0.30, 0.5), "walk": (1.0, 0.45, 0.7), "march": (1.1, 0.50, 1.5)}
"""Frequency, amplitude, and how far the knees bend."""
MOODS = {"plain": (0.0, 0.1, 0.4), "stooped": (0.5, 0.05, 0.15), "proud": (-0.15, 0.45, 0.7)}
"""Lean, distance of the arms, and how far they swing."""

# Joint: parent and where it rests from there, in centimetres; x is to the body's left.
_BODY = {
    "Hips": (None, (0, 0, 0)),
    "Spine": ("Hips", (0, 25, 0)),
    "Neck": ("Spine", (0, 25, 0)),
    "Head": ("Neck", (0, 18, 0)),
    "LeftArm": ("Spine", (18, 20, 0)),
    "LeftForeArm": ("LeftArm", (0, -28, 0)),
    "LeftHand": ("LeftForeArm", (0, -25, 0)),
    "RightArm": ("Spine", (-18, 20, 0)),
    "RightForeArm": ("RightArm", (0, -28, 0)),
    "RightHand": ("RightForeArm", (0, -25, 0)),
    "LeftUpLeg": ("Hips", (10, -3, 0)),
    "LeftLeg": ("LeftUpLeg", (0, -42, 0)),
    "LeftFoot": ("LeftLeg", (0, -42, 0)),
    "LeftToe": ("LeftFoot", (0, -3, 14)),
    "RightUpLeg": ("Hips", (-10, -3, 0)),
    "RightLeg": ("RightUpLeg", (0, -42, 0)),
    "RightFoot": ("RightLeg", (0, -42, 0)),
    "RightToe": ("RightFoot", (0, -3, 14)),
}


def walker_skeleton() -> Skeleton:
    """Return the walker's `Skeleton`."""
    names = tuple(_BODY)
    parents = tuple(-1 if above is None else names.index(above) for above, _ in _BODY.values())
    return Skeleton(names, parents, tuple(tuple(map(float, place)) for _, place in _BODY.values()))


def walk(
    frequency: float,
    amplitude: float,
    lean: float,
    arms: float,
    *,
    knees: float = 0.7,
    swing: float = 0.4,
    phase: float = 0.0,
    frames: int = 90,
) -> np.ndarray:
    """Return positions `(frames, joints, 3)` in centimetres of one walk straight ahead.

    The foot that goes back stands still on the ground, which carries the body forward.

    Args:
        frequency, amplitude, lean, arms: See `FACTORS`.
        knees: How far the knees bend, in radians.
        swing: How far the arms swing, in radians.
        phase: Where in the gait the clip begins, in radians.
        frames: How many, at 30 a second.
    """
    angle = phase + 2 * np.pi * frequency * np.arange(frames) / RATE
    turns = {"Spine": axis_rotation(0, np.full(frames, lean))}
    for side, sign, turn in (("Left", 1, angle), ("Right", -1, angle + np.pi)):
        thigh = axis_rotation(0, -amplitude * np.sin(turn))
        turns[f"{side}UpLeg"] = thigh
        # Early in the swing, so that the heel lands with a straight leg.
        bend = knees * np.clip(np.cos(turn + 0.5), 0, None) ** 2
        turns[f"{side}Leg"] = thigh @ axis_rotation(0, bend)
        out = axis_rotation(2, np.full(frames, sign * arms))
        arm = out @ axis_rotation(0, swing * np.sin(turn))
        turns[f"{side}Arm"], turns[f"{side}ForeArm"] = arm, arm @ axis_rotation(0, -0.4 + 0 * turn)
    return _plant_feet(_joint_positions(turns, frames), np.cos(angle) > 0)


def _joint_positions(turns: dict[str, np.ndarray], frames: int) -> np.ndarray:
    """Return positions about the hips, where some joints turn what hangs from them."""
    skeleton = walker_skeleton()
    places = np.zeros((frames, len(skeleton.names), 3))
    world = [np.tile(np.eye(3), (frames, 1, 1))] * len(skeleton.names)
    for index, name in enumerate(skeleton.names):
        parent = skeleton.parents[index]
        if parent >= 0:
            bone = np.einsum("fij,j->fi", world[parent], np.array(skeleton.offsets[index]))
            places[:, index] = places[:, parent] + bone
        # Feet stay level and the head looks ahead; arms hang from a trunk that leans.
        world[index] = turns.get(name, world[index])
    return places


def _plant_feet(places: np.ndarray, right_stands: np.ndarray) -> np.ndarray:
    toes = [list(_BODY).index(f"{side}Toe") for side in ("Left", "Right")]
    feet = places[:, toes]
    standing = right_stands.astype(int)
    frames = np.arange(1, len(places))
    ahead = feet[frames - 1, standing[1:], 2] - feet[frames, standing[1:], 2]
    places[:, :, 2] += np.concatenate([[0.0], np.cumsum(ahead)])[:, None]
    places[:, :, 1] -= feet[:, :, 1].min(1)[:, None]
    return places


def walks(
    clips_per_cell: int = 12, seed: int = 0, frames: int = 96
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Return many walks, in every gait and mood, with their factors varied a little.

    Args:
        clips_per_cell: Walks in each gait and mood.
        seed: Choice of factors and phases.
        frames: Length of each, at 30 a second.

    Returns:
        List of positions; gait and mood of each, int32 `(clips,)`; factors `(clips, 4)`.
    """
    random = np.random.default_rng(seed)
    positions, labels, factors = [], [], []
    for gait, (frequency, amplitude, knees) in enumerate(GAITS.values()):
        for mood, (lean, arms, swing) in enumerate(MOODS.values()):
            for _ in range(clips_per_cell):
                varied = random.normal(1.0, 0.08, 2) * (frequency, amplitude)
                varied = (*varied, *np.add(random.normal(0, 0.03, 2), (lean, arms)))
                phase = random.uniform(0, 2 * np.pi)
                kept = {"knees": knees, "swing": swing, "phase": phase, "frames": frames}
                positions.append(walk(*varied, **kept))
                labels.append((gait, mood))
                factors.append(varied)
    gaits, moods = np.array(labels, "int32").T
    return positions, gaits, moods, np.array(factors)


def measure_factors(positions: np.ndarray) -> np.ndarray:
    """Measure the factors of walks from positions alone; the inverse of `walk`.

    Args:
        positions: `(frames, joints, 3)`, walking towards z.

    Returns:
        The four numbers of `FACTORS`.
    """
    at = {name: positions[:, index] for index, name in enumerate(_BODY)}
    thigh = at["LeftLeg"] - at["LeftUpLeg"]
    swing = np.arctan2(thigh[:, 2], -thigh[:, 1])
    trunk = np.mean(at["Neck"] - at["Spine"], 0)
    arm = np.mean(at["LeftForeArm"] - at["LeftArm"], 0)
    spread = np.arctan2(arm[0], np.hypot(arm[1], arm[2]))
    amplitude = np.sqrt(2) * swing.std()
    return np.array([_frequency(swing), amplitude, np.arctan2(trunk[2], trunk[1]), spread])


def _frequency(swing: np.ndarray) -> float:
    """Return the frequency at which a sine fits best, in hertz."""
    candidates = np.arange(0.3, 2.5, 0.01)
    waves = np.exp(-2j * np.pi * np.outer(candidates, np.arange(len(swing)) / RATE))
    return candidates[np.argmax(np.abs(waves @ (swing - swing.mean())))]
