"""Removing what a program left, however it was meant to be hard to remove."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess


def remove(path: str) -> None:
    """A file, or a directory with all in it. No process may be at work there. Raises ``OSError``."""
    if os.path.islink(path) or not os.path.isdir(path):
        return os.unlink(path)
    with contextlib.suppress(OSError, RecursionError):
        return shutil.rmtree(path)
    # Folders without permissions, or thousands deep.
    for command in (("chmod", "-R", "u+rwx"), ("rm", "-rf")):
        subprocess.run([*command, "--", path], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if os.path.isdir(path):
        raise OSError(f"{path} could not be removed")


def empty(path: str) -> None:
    """All that is in a directory of ours."""
    os.chmod(path, 0o700)
    for name in os.listdir(path):
        remove(os.path.join(path, name))
