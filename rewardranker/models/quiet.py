"""What transformers prints of its own accord, apart from all that loads models: that takes seconds to import."""

from __future__ import annotations

import logging as plain
import os


def quiet_transformers() -> None:
    """No progress bars for loading, no advisory warnings: a run prints its own lines."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Where it is installed, saving a model imports it, and it says that there is no GPU.
    plain.getLogger("DeepSpeed").addFilter(lambda record: record.levelno >= plain.ERROR)
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
