"""Map the top-level folders to subpackages (tasks/ is imported as flann.tasks, and so on), and
compile the C kernels of the scans where there is a compiler.
"""

import hashlib
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

FOLDERS = ["tasks", "models", "rasp", "reports"]
# The links in flann/ to the four folders would be found a second time.
LINKS = [pattern for folder in FOLDERS for pattern in (folder, f"{folder}.*")]
KERNELS = Path("models/scans/cpu_backend/kernels")

packages = ["flann", *(f"flann.{name}" for name in find_packages("flann", exclude=LINKS))]
package_dir = {"flann": "flann"}
for folder in FOLDERS:
    package_dir[f"flann.{folder}"] = folder
    packages += [f"flann.{folder}", *(f"flann.{folder}.{name}" for name in find_packages(folder))]


def fingerprint():
    """A short hash of the sources, built in so that a stale library is told from a fresh one."""
    digest = hashlib.sha256()
    for file in sorted(KERNELS.glob("*.[ch]")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


class BuildKernels(build_ext):
    """Without OpenMP where the compiler has none: the kernels then run on one thread."""

    def build_extension(self, ext):
        try:
            super().build_extension(ext)
        except Exception:
            print("compiling the kernels again, without OpenMP", file=sys.stderr)
            ext.extra_compile_args = [a for a in ext.extra_compile_args if a != "-fopenmp"]
            ext.extra_link_args = []
            super().build_extension(ext)


# No -march: the sources choose among vector widths at run time. No -ffast-math: it would change
# how the whole process rounds.
kernels = Extension(
    "flann.models.scans.cpu_backend._kernels",
    [str(KERNELS / "kernels.c")],
    depends=[str(file) for file in sorted(KERNELS.glob("*.h"))],
    define_macros=[("FLANN_SOURCES", f'"{fingerprint()}"')],
    extra_compile_args=[
        "-O3",
        "-g0",
        "-std=gnu11",
        "-fopenmp",
        "-fno-math-errno",
        "-fno-trapping-math",
        "-Wno-psabi",
    ],
    extra_link_args=["-fopenmp"],
    optional=True,
)

setup(
    packages=packages,
    package_dir=package_dir,
    ext_modules=[kernels],
    cmdclass={"build_ext": BuildKernels},
)
