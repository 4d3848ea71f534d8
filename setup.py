"""Map the top-level folders to subpackages: tasks/ is imported as flann.tasks, and so on."""

from setuptools import find_packages, setup

FOLDERS = ["tasks", "models", "rasp", "reports"]

packages, package_dir = ["flann"], {"flann": "flann"}
for folder in FOLDERS:
    package_dir[f"flann.{folder}"] = folder
    packages += [f"flann.{folder}", *(f"flann.{folder}.{name}" for name in find_packages(folder))]

setup(packages=packages, package_dir=package_dir)
