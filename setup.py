"""What setup.cfg cannot say: a wheel holds the artifacts that come with the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ARTIFACTS = ("starry-night",)


class BuildWithArtifacts(build_py):
    """Copies artifacts of exported/ into the package."""

    def run(self):
        super().run()
        if self.editable_mode:  # found in the checkout
            return
        for name in ARTIFACTS:
            place = Path(self.build_lib) / "keras_dtl" / "exported" / name
            shutil.copytree(Path("exported") / name, place, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithArtifacts})
