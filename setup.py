"""The packages; everything else that an installation needs is in setup.cfg.

The published numbers stay in results/, which is the one place for published and for our own
numbers, and are installed as a package of data: setup.cfg cannot name such a package beside those
that it finds.
"""

from setuptools import find_packages, setup

DATA = "benchmark.papers.data"

setup(
    packages=[*find_packages(include=["benchmark*", "methods*", "features*"]), DATA],
    package_dir={DATA: "results/published"},
)
