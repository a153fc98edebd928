"""What all tests share: a quiet, small, two-replica TensorFlow and networks of a few weights."""

import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# No test may reach the network, or write data sets and findings into somebody's home.
os.environ["TFDS_DATA_DIR"] = os.devnull
os.environ["KERAS_DTL_CACHE"] = os.devnull

from pathlib import Path

import pytest

SHAPE = (8, 8, 3)
CLASSES = 3


def pytest_configure(config):
    """Split the CPU in two logical devices, which must happen before TensorFlow starts.

    Where there is a GPU, float32 is not rounded to TensorFloat-32: tests compare with NumPy.
    Garbage is looked for less often than Python would, which took a tenth of the time.
    """
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return  # it hands the tests out and runs none
    gc.set_threshold(100_000, 50, 1000)
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(False)
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


@pytest.fixture(autouse=True, scope="module")
def _short_collections():
    """Leave what outlives a module out of later garbage collections.

    TensorFlow keeps millions of objects: to walk through them all takes seconds each time.
    """
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def _same_start_of_what_a_module_shares():
    """What is made once for a module does not depend on the tests before it."""
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def _same_start():
    """Every test starts from the same seed and leaves the policy as it was."""
    import keras

    keras.utils.set_random_seed(0)
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


@pytest.fixture(scope="session")
def two_replicas():
    """A strategy of two replicas, one for the process: a second one would mix up its collectives.

    TensorFlow numbers them from the same start for each new strategy.
    """
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture
def data_folder():
    """The folder of real data sets, for tests marked `data`."""
    folder = os.environ.get("KERAS_DTL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("KERAS_DTL_DATA does not name a folder of data sets")
    return Path(folder)
