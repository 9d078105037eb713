"""Commands as jobs: their files, and what they leave."""

from __future__ import annotations

import contextlib
import os
import stat

_MAX_COLLECTED = 512 << 20


def write_files(place: str, files: dict[str, bytes], uid: int) -> None:
    """Writes the files of a step, owned by ``uid`` (-1: as we are). Names are relative and ours."""
    for name, content in files.items():
        path = os.path.join(place, name)
        folder = os.path.dirname(path)
        if folder != place and not os.path.isdir(folder):
            os.makedirs(folder, 0o700)
            _give(folder, uid)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
        _give(path, uid)


def _give(path: str, uid: int) -> None:
    if uid >= 0:
        os.chown(path, uid, uid)


def execute(argv: list[str], environment: dict[str, str], descriptors: int) -> None:
    """Turns this process, confined already, into the command. Status 127 where there is no such command."""
    for fd in range(descriptors):
        os.set_inheritable(fd, True)
    try:
        os.execvpe(argv[0], argv, os.environ | environment)
    except (OSError, ValueError) as error:
        os.write(2, f"{argv[0]}: {error}\n".encode())
    os._exit(127)


def collect(directory: int, names: list[str]) -> dict[str, bytes]:
    """The files that a step left: regular ones alone, through no link, within a cap; others are left out."""
    files: dict[str, bytes] = {}
    left = _MAX_COLLECTED
    for name in names:
        with contextlib.suppress(OSError), os.fdopen(_open(directory, name), "rb") as file:
            facts = os.fstat(file.fileno())
            if stat.S_ISREG(facts.st_mode) and facts.st_size <= left:
                files[name] = file.read(left)
                left -= len(files[name])
    return files


def _open(directory: int, name: str) -> int:
    """A file below an open directory, no part of whose name is a link: those would be followed from here."""
    *folders, last = name.split("/")
    current = os.dup(directory)
    try:
        for folder in folders:
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=current)
            os.close(current)
            current = below
        return os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=current)
    finally:
        os.close(current)
