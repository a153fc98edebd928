import itertools

import pytest

from keras_dtl.motion.joint_names import LEFT, MIDDLE, RIGHT, match_joints, side_pairs, split_name

SIDES = {
    "LeftUpLeg": (LEFT, "up leg"),
    "mixamorig:RightHandThumb1": (RIGHT, "hand thumb 1"),
    "J_Bip_L_LowerLeg": (LEFT, "j bip lower leg"),
    "upper_leg_l": (LEFT, "upper leg"),
    "lower_arm_r": (RIGHT, "lower arm"),
    "lThigh": (LEFT, "thigh"),
    "rShldr": (RIGHT, "shldr"),
    "RHipJoint": (RIGHT, "hip joint"),
    "Bip01_L_Thigh": (LEFT, "bip 01 thigh"),
    "thigh.R": (RIGHT, "thigh"),
    "lfemur": (LEFT, "femur"),
    "rightarm": (RIGHT, "arm"),
    "LEFT_HIP": (LEFT, "hip"),
    "Lowerback": (MIDDLE, "lowerback"),
    "lower_leg": (MIDDLE, "lower leg"),
    "RootNode": (MIDDLE, "root node"),
}


@pytest.mark.parametrize("name", SIDES)
def test_sides_are_words_of_a_name(name):
    assert split_name(name) == SIDES[name]


def test_pairs():
    names = ["J_Bip_C_Hips", "J_Bip_L_LowerLeg", "J_Bip_R_LowerLeg", "J_Bip_L_Tail"]
    assert side_pairs(names) == ((1, 2),)
    assert side_pairs(["hips", "lower_leg_r", "lower_leg_l", "ball_l", "ball_r"]) == (
        (2, 1),
        (3, 4),
    )
    assert side_pairs(["lower", "rower", "loop", "roop"]) == ()


def chain(*names):
    """Return names and parents of joints, each below the one that is named after `<`."""
    pairs = [name.split("<") for name in names]
    order = [own for own, *_ in pairs]
    return order, [order.index(above[0]) if above else -1 for _, *above in pairs]


def limbs(trunk, sides, leg, arm, top):
    """Return a body with a trunk, and legs and arms of these names, `{}` being the side."""
    names = [trunk[0], *(f"{own}<{above}" for above, own in itertools.pairwise(trunk))]
    for side in sides:
        for root, parts in ((trunk[0], leg), (top, arm)):
            own = [part.format(side) for part in parts]
            names += [f"{below}<{above}" for above, below in zip([root, *own], own)]
    return chain(*names)


FAMILIES = {
    "Mixamo": limbs(
        [f"mixamorig:{part}" for part in ("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head")],
        ("mixamorig:Left", "mixamorig:Right"),
        ("{}UpLeg", "{}Leg", "{}Foot", "{}ToeBase"),
        ("{}Shoulder", "{}Arm", "{}ForeArm", "{}Hand"),
        "mixamorig:Spine2",
    ),
    "LAFAN1": limbs(
        ["Hips", "Spine", "Spine1", "Spine2", "Neck", "Head"],
        ("Left", "Right"),
        ("{}UpLeg", "{}Leg", "{}Foot", "{}Toe"),
        ("{}Shoulder", "{}Arm", "{}ForeArm", "{}Hand"),
        "Spine2",
    ),
    "CMU": limbs(
        ["Hips", "LowerBack", "Spine", "Spine1", "Neck", "Neck1", "Head"],
        ("Left", "Right"),
        ("{}UpLeg", "{}Leg", "{}Foot", "{}ToeBase"),
        ("{}Shoulder", "{}Arm", "{}ForeArm", "{}Hand", "{}FingerBase"),
        "Spine1",
    ),
    "Bandai": limbs(
        ["Hips", "Spine", "Chest", "Neck", "Head"],
        ("L", "R"),
        ("UpperLeg_{}", "LowerLeg_{}", "Foot_{}", "Toes_{}"),
        ("Shoulder_{}", "UpperArm_{}", "LowerArm_{}", "Hand_{}"),
        "Chest",
    ),
    "DAZ": limbs(
        ["hip", "abdomen", "chest", "neck", "head"],
        ("l", "r"),
        ("{}Thigh", "{}Shin", "{}Foot", "{}Toe"),
        ("{}Collar", "{}Shldr", "{}ForeArm", "{}Hand"),
        "chest",
    ),
    "Max": limbs(
        [f"Bip01_{part}" for part in ("Pelvis", "Spine", "Spine1", "Neck", "Head")],
        ("L", "R"),
        ("Bip01_{}_Thigh", "Bip01_{}_Calf", "Bip01_{}_Foot", "Bip01_{}_Toe0"),
        ("Bip01_{}_Clavicle", "Bip01_{}_UpperArm", "Bip01_{}_Forearm", "Bip01_{}_Hand"),
        "Bip01_Spine1",
    ),
    "VRM": limbs(
        [f"J_Bip_C_{part}" for part in ("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head")],
        ("L", "R"),
        ("J_Bip_{}_UpperLeg", "J_Bip_{}_LowerLeg", "J_Bip_{}_Foot", "J_Bip_{}_ToeBase"),
        (
            *("J_Bip_{}_Shoulder", "J_Bip_{}_UpperArm", "J_Bip_{}_LowerArm", "J_Bip_{}_Hand"),
            *("J_Sec_{}_Sleeve1", "J_Sec_{}_Sleeve2", "J_Sec_{}_Sleeve3", "J_Sec_{}_Sleeve4"),
        ),
        "J_Bip_C_UpperChest",
    ),
    "Unreal": limbs(
        ["pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head"],
        ("l", "r"),
        ("thigh_{}", "calf_{}", "foot_{}", "ball_{}"),
        ("clavicle_{}", "upperarm_{}", "lowerarm_{}", "hand_{}"),
        "spine_03",
    ),
    "elbows": limbs(
        ["Hips", "Chest", "Chest2", "Neck", "Head"],
        ("Left", "Right"),
        ("{}Hip", "{}Knee", "{}Ankle", "{}Toe"),
        ("{}Collar", "{}Shoulder", "{}Elbow", "{}Wrist"),
        "Chest2",
    ),
}
BANDAI_IN = {
    "Mixamo": {"Spine": "mixamorig:Spine", "Chest": "mixamorig:Spine2", "Neck": "mixamorig:Neck"}
    | {"UpperArm_L": "mixamorig:LeftArm", "LowerLeg_R": "mixamorig:RightLeg"},
    "LAFAN1": {"Chest": "Spine2", "Toes_R": "RightToe", "Shoulder_L": "LeftShoulder"},
    "CMU": {"Spine": "LowerBack", "Chest": "Spine1", "Neck": "Neck", "Head": "Head"},
    "DAZ": {"Hips": "hip", "Spine": "abdomen", "UpperLeg_L": "lThigh", "UpperArm_R": "rShldr"},
    "Max": {"Hips": "Bip01_Pelvis", "Toes_L": "Bip01_L_Toe0"},
    "VRM": {"Spine": "J_Bip_C_Spine", "Chest": "J_Bip_C_UpperChest", "Hips": "J_Bip_C_Hips"}
    | {"Shoulder_L": "J_Bip_L_Shoulder", "LowerArm_R": "J_Bip_R_LowerArm"},
    "Unreal": {"Chest": "spine_03", "LowerLeg_L": "calf_l", "Toes_R": "ball_r"},
    "elbows": {"UpperLeg_L": "LeftHip", "UpperArm_R": "RightShoulder", "Hand_L": "LeftWrist"},
}


@pytest.mark.parametrize("family", BANDAI_IN)
def test_families_are_mapped_by_name(family):
    names, parents = FAMILIES[family]
    wanted, above = FAMILIES["Bandai"]
    chosen = match_joints(names, parents, wanted, above)
    found = {name: names[index] for name, index in zip(wanted, chosen, strict=True)}
    assert found == found | BANDAI_IN[family]
    assert len(set(chosen)) == len(wanted)


def test_what_is_not_certain_is_refused():
    wanted, above = FAMILIES["Mixamo"]
    # Of a trunk of two joints one cannot tell which of three is the middle one.
    assert match_joints(*FAMILIES["Bandai"], wanted, above) is None
    names, parents = FAMILIES["Bandai"]
    without = [name.replace("Toes_L", "Claw_L") for name in names]
    assert match_joints(without, parents, names, parents) is None
    assert match_joints([f"{n}1" for n in names], parents, names, parents) is None
    # The same names, but an arm hangs from the hips.
    moved = list(parents)
    moved[names.index("Shoulder_L")] = 0
    assert match_joints(names, moved, names, parents) is None


def test_order_and_further_joints_do_not_matter_where_names_are_the_same():
    names, parents = chain("Hips", "Tail<Hips", "Leg_L<Hips", "Leg_R<Hips")
    wanted, above = chain("Hips", "Leg_R<Hips", "Leg_L<Hips")
    assert match_joints(names, parents, wanted, above) == [0, 3, 2]
