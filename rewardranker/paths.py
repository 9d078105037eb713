"""What a public function takes where it is told a file or a directory."""

from __future__ import annotations

from pathlib import Path

AnyPath = str | Path
