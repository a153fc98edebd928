# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Fine-tune with few labels
#
# An encoder that learnt plain digits learns digits over photos from twenty labels a class; a random
# one beside it says whether that helped. Here it does not, the random start comes out ahead: what
# plain digits teach is too easy. That is why one measures. About a minute on two cores.

# %%
import tempfile
from pathlib import Path

from keras_dtl import load, load_artifact
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.training import publish, train

folder = Path(tempfile.mkdtemp())
settings = {"target": "digits_m", "shots": 20, "epochs": 5, "min_steps": 60}

# %%
first = RECIPES["source-only"](epochs=3, min_steps=60, output=folder / "first")
train(first)

# %% [markdown]
# A recipe is what `keras-dtl train fine-tuning` runs: its fields are the flags.

# %%
start = str(first.run_folder)
tuned = RECIPES["fine-tuning"](
    **settings, start=start, output=folder / "tuned", artifact=folder / "artifact"
)
random = RECIPES["fine-tuning"](
    **settings, start="random", backbone="lenet", image_size=28, output=folder / "random"
)
trained = train(tuned)
train(random)

# %%
publish(tuned, trained)
images, labels = load("digits_m", "test").arrays()
answers = load_artifact(tuned.artifact_folder)(images)
print(f"artifact: {(answers.argmax(-1) == labels).mean():.1%}")
