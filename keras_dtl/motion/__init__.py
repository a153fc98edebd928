"""Motion capture: BVH files, the bodies in them, and motion as methods see it; NumPy only."""

from keras_dtl.motion.bodies import Body, body_of
from keras_dtl.motion.bvh import format_bvh, read_bvh, write_bvh
from keras_dtl.motion.bvh_content import Bvh, BvhError, Joint
from keras_dtl.motion.bvh_parser import parse_bvh
from keras_dtl.motion.characters import fit_motion
from keras_dtl.motion.features import (
    MIRRORED,
    features_of,
    has_toes_behind,
    heading,
    mirror_motion,
    positions_of,
    read_motion,
    resample,
)
from keras_dtl.motion.kinematics import axis_rotation, forward_kinematics, to_bvh
from keras_dtl.motion.skeleton import Skeleton
from keras_dtl.renamed import former_names

__all__ = [
    "MIRRORED",
    "Body",
    "Bvh",
    "BvhError",
    "Joint",
    "Skeleton",
    "axis_rotation",
    "body_of",
    "features_of",
    "fit_motion",
    "format_bvh",
    "forward_kinematics",
    "has_toes_behind",
    "heading",
    "mirror_motion",
    "parse_bvh",
    "positions_of",
    "read_bvh",
    "read_motion",
    "resample",
    "to_bvh",
    "write_bvh",
]

__getattr__ = former_names(__name__, {"mirrored": "mirror_motion"})
