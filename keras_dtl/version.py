"""The version, alone in a file that packaging and manifests can read without importing more."""

__version__ = "0.2.0"
