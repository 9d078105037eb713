"""Directories outside the sandbox that the inside needs."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

from rewardranker.errors import UserError

#: Names a directory for languages' set-ups, which jobs that each have a temporary directory of their own can share.
TOOLCHAINS = "REWARDRANKER_TOOLCHAINS"
CHILD_DIRECTORY = str(Path(__file__).resolve().parents[1] / "child")


def toolchain_directory() -> str:
    """Where what languages have set up lies, one directory of ours per user. Made if need be.

    Raises:
        UserError: somebody else has it, who could put there what programs are compiled with; or it cannot be made.
    """
    ours = os.path.join(tempfile.gettempdir(), f"rewardranker-toolchains-{os.geteuid()}")
    path = os.path.abspath(os.environ.get(TOOLCHAINS) or ours)
    try:
        os.mkdir(path, 0o755)
        os.chmod(path, 0o755)
    except (FileNotFoundError, PermissionError) as error:
        raise UserError(
            f"{path} cannot be made for tool-chains ({error.strerror}); set {TOOLCHAINS} to one that can"
        ) from error
    except FileExistsError:
        facts = os.lstat(path)
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
            raise UserError(
                f"{path} has to be a directory that only user {os.geteuid()} can write to, and is not; remove it"
            ) from None
    return path


def interpreter() -> tuple[str, str]:
    """The running interpreter's own directory and executable, behind all links and virtual environments."""
    return os.path.realpath(sys.base_prefix), os.path.realpath(sys.executable)
