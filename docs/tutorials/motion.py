# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Give one motion the style of another
#
# On an embedded walker: what it does is the gait, how it does it the mood. About a minute.

# %%
import tempfile
from pathlib import Path

from keras_dtl import convert_folder, load_artifact, load_motion
from keras_dtl.motion import read_bvh, to_bvh, write_bvh
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.training import publish, train

folder = Path(tempfile.mkdtemp())
recipe = RECIPES["motion-style"](
    epochs=2, min_steps=30, output=folder / "run", artifact=folder / "artifact"
)
publish(recipe, train(recipe))

# %% [markdown]
# Clips as files, and one whose style they get.

# %%
clips = load_motion("walker", clips_per_cell=1)
print(clips.action_names, clips.style_names)
for index in range(4):
    bvh = to_bvh(clips.positions[index], clips.skeleton, clips.rate)
    write_bvh(folder / "clips" / f"{clips.names[index]}.bvh", bvh)
write_bvh(folder / "style.bvh", to_bvh(clips.positions[-1], clips.skeleton, clips.rate))

# %%
artifact = load_artifact(recipe.artifact_folder)
report = convert_folder(artifact, folder / "clips", folder / "out", style=str(folder / "style.bvh"))
first = read_bvh(folder / "out" / f"{clips.names[0]}.bvh")
print(report.converted, "clips, the first of", len(first.values), "frames")
