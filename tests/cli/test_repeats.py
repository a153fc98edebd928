"""A step repeats bit for bit where a network is also called with its weights held fixed."""

import subprocess
import sys

import pytest

CODE = """if True:
    from keras_dtl.cli.session import start_session
    start_session(0)
    import tensorflow as tf
    from keras_dtl.recipes import RECIPES
    recipe = RECIPES["motion-gmv"]()
    data = recipe.load_data()
    model = recipe.build_model(data)
    batch = next(iter(recipe.batches(data, first_step=0)))
    step = tf.function(model.train_step)
    step(batch)
    optimizers = [getattr(model, name) for name in ("optimizer", *model.player_optimizers)]
    variables = [*model.variables, *(v for each in optimizers for v in each.variables)]
    state = [variable.numpy().copy() for variable in variables]
    found = set()
    for _ in range(50):
        for variable, value in zip(variables, state):
            variable.assign(value.copy())
        step(batch)
        found.add(tuple(variable.numpy().tobytes() for variable in variables))
    print("outcomes", len(found))"""


@pytest.mark.slow
def test_a_step_of_motion_gmv_has_one_outcome_in_fifty():
    """There were ten: frozen classifiers read weights before or after their update."""
    answer = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert answer.stdout.splitlines()[-1] == "outcomes 1", answer.stderr[-500:]
