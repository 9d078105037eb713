"""How a run is ended from outside."""

from __future__ import annotations

import signal
import threading


def end_as_by_ctrl_c() -> None:
    """What ends a batch job (SIGTERM) raises ``KeyboardInterrupt``, so that a run says what it keeps."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
