"""What joints are called: sides, parts of a body, and which joints of two skeletons are the same.

Names come from many programs: `mixamorig:LeftUpLeg`, `J_Bip_L_UpperLeg`, `thigh_l`, `lThigh`,
`LHipJoint`, `Bip01_L_Thigh`, `lfemur`.
"""

import re
from collections import Counter
from collections.abc import Sequence

LEFT, RIGHT, MIDDLE = "left", "right", ""
_TOKENS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_SIDES = {"left": LEFT, "l": LEFT, "right": RIGHT, "r": RIGHT}

_WORDS = {
    "hips": "hips pelvis hip",
    "spine": "spine chest upperchest abdomen lowerback torso waist",
    "neck": "neck",
    "head": "head",
    "thigh": "upleg upperleg thigh femur hip legupper",
    "shin": "leg lowerleg shin calf knee tibia leglower",
    "foot": "foot ankle",
    "toe": "toe toes toebase ball",
    "collar": "clavicle collar collarbone",
    "shoulder": "shoulder",
    "arm": "arm upperarm uparm humerus shldr armupper",
    "forearm": "forearm lowerarm elbow radius armlower loarm",
    "hand": "hand wrist",
}
"""Part of the body, and what it is called."""
_PARTS = {word: part for part, words in _WORDS.items() for word in words.split()}
_PREFIXES = re.compile(r"\b(j|bip|def|org|jnt|mixamorig) ")
"""Words that say which program or which layer of a rig a joint is of."""
_CHAINS = ("spine", "neck")
"""Parts of several joints in a row, whose numbers differ between programs."""


def split_name(name: str) -> tuple[str, str]:
    """Return the side that a joint's name tells, and its other words in lower case.

    A side is a word of its own, at any place, or the first letter before a part of the body.

    Args:
        name: Such as `"upper_leg_l"`.

    Returns:
        `LEFT`, `RIGHT` or `MIDDLE`, and words such as `"upper leg"`.
    """
    words = [word.lower() for word in _TOKENS.findall(name.rpartition(":")[2])]
    for place, word in enumerate(words):
        if side := _SIDES.get(word):
            return side, " ".join(words[:place] + words[place + 1 :])
    for place, word in enumerate(words):
        side, rest = _side_inside(word)
        if side:
            return side, " ".join([*words[:place], rest, *words[place + 1 :]])
    return MIDDLE, " ".join(words)


def _side_inside(word):
    """Return side and rest of words such as `leftarm`, `armleft` and `lfemur`."""
    for written in ("left", "right"):
        if word.startswith(written) or word.endswith(written):
            return _SIDES[written], word.replace(written, "", 1)
    if word[0] in "lr" and (word[1:] in _PARTS or word[1:] in ("hipjoint", "fingers", "thumb")):
        return _SIDES[word[0]], word[1:]
    return MIDDLE, word


def side_pairs(names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return index of the left and of the right joint, for each name that has both.

    Args:
        names: Of the joints.
    """
    sided = [split_name(name) for name in names]
    rights = {rest: index for index, (side, rest) in enumerate(sided) if side == RIGHT}
    lefts = [(index, rest) for index, (side, rest) in enumerate(sided) if side == LEFT]
    return tuple((index, rights[rest]) for index, rest in lefts if rest in rights)


def parts_of(names: Sequence[str], parents: Sequence[int]) -> list[tuple[str, str, int]]:
    """Return `(side, part of the body, number in the row)` of each joint.

    Where no part is known by the name, its words stand for it. Joints of the spine and of the neck
    are counted from the hips on; all others have the number 0.

    Args:
        names: Of the joints.
        parents: Index of each joint's parent, which comes before it; -1 for the root.
    """
    sided = [split_name(name) for name in names]
    sided = [(side, _PREFIXES.sub("", words)) for side, words in sided]
    sided = _without_common_words(sided)
    found = [(side, _part(side, words)) for side, words in sided]
    # Where nothing else is the upper arm, what is called shoulder is.
    for side in (LEFT, RIGHT):
        if (side, "arm") not in found:
            found = [(s, "arm") if (s, p) == (side, "shoulder") else (s, p) for s, p in found]
    found = [(side, "collar" if part == "shoulder" else part) for side, part in found]
    numbers = []
    for index, (side, part) in enumerate(found):
        in_row = part in _CHAINS and not side
        above = parents[index]
        follows = in_row and above >= 0 and found[above] == (side, part)
        numbers.append(numbers[above] + 1 if follows else 0)
    return [(side, part, number) for (side, part), number in zip(found, numbers, strict=True)]


def _part(side, words):
    """Return the part of the body that words stand for, or the words."""
    joined = re.sub(r"[ \d]", "", words)
    part = _PARTS.get(joined)
    if part is None or (part in ("hips", *_CHAINS, "head") and side and joined != "hip"):
        return words
    if joined == "hip":
        return "thigh" if side else "hips"
    # A number tells joints in a row from each other; one of such a row is not sure to be the part.
    numbered = re.search(r"[1-9]", words) and part not in _CHAINS
    return words if numbered else part


def _without_common_words(sided):
    """Leave out words that nearly all names begin with, such as `bip 01`."""
    while True:
        first = Counter(words.split(" ")[0] for _, words in sided)
        word, count = first.most_common(1)[0]
        if not word or count < max(3, 0.8 * len(sided)):
            return [(side, words.removeprefix("c ")) for side, words in sided]
        sided = [(side, words.removeprefix(word).strip()) for side, words in sided]


def match_joints(
    names: Sequence[str],
    parents: Sequence[int],
    wanted_names: Sequence[str],
    wanted_parents: Sequence[int],
) -> list[int] | None:
    """Return which joint of a skeleton each joint of another one is, where that is certain.

    Joints of one name are the same, else those of one part of the body. Of rows of joints in
    the spine and the neck that differ in number, the first and the last are the same. Whatever
    hangs below another joint in one skeleton must do so in the other.

    Args:
        names, parents: Of the skeleton, parents first.
        wanted_names, wanted_parents: Of the other one.

    Returns:
        An index for each wanted name, or None where one is not found, or stands elsewhere.
    """
    by_name = {name: index for index, name in enumerate(names)}
    if all(name in by_name for name in wanted_names):
        chosen = [by_name[name] for name in wanted_names]
    else:
        chosen = _match_parts(parts_of(names, parents), parts_of(wanted_names, wanted_parents))
    if chosen is None or len(set(chosen)) < len(chosen):
        return None
    for index, above in enumerate(wanted_parents):
        if above >= 0 and not _is_below(chosen[index], chosen[above], parents):
            return None
    return chosen


def _match_parts(parts, wanted):
    if any(count > 1 for count in Counter(wanted).values()):
        return None
    found = {}
    for index, part in enumerate(parts):
        found.setdefault(part, []).append(index)
    chosen = [found.get(part) for part in _renumber(parts, wanted)]
    if any(indices is None or len(indices) > 1 for indices in chosen):
        return None
    return [index for (index,) in chosen]


def _renumber(parts, wanted):
    """Return the wanted parts with the numbers that rows of another length have."""
    last = {name: max((n for _, p, n in parts if p == name), default=-1) for name in _CHAINS}
    asked = {name: max((n for _, p, n in wanted if p == name), default=-1) for name in _CHAINS}
    result = []
    for side, part, number in wanted:
        # Of the neck, its root is sure; of the spine, both ends are.
        is_end = part == "spine" and number == asked[part] and (number or asked[part] == 0)
        if is_end and asked[part] <= 1:
            number = last[part]
        elif part in _CHAINS and asked[part] != last[part] and number:
            number = -1
        result.append((side, part, number))
    return result


def _is_below(index, above, parents):
    while index >= 0:
        if index == above:
            return True
        index = parents[index]
    return False
