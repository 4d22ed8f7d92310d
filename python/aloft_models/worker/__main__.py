"""`python -m aloft_models.worker --model DIR --socket PATH`"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType


def main(arguments: list[str] | None = None) -> int:
    parent = os.getppid()  # before the slow imports, in the course of which the parent could end
    from aloft_models.worker.server import WorkerServer, end_with_parent

    parser = argparse.ArgumentParser(prog="python -m aloft_models.worker", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of an MLflow model")
    parser.add_argument("--socket", type=Path, required=True, help="Unix socket to listen on")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    try:
        server = WorkerServer(options.socket)
    except OSError as error:
        print(f"cannot listen on {options.socket}: {error}", file=sys.stderr)
        return 1
    end_with_parent(parent)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.close()
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        from aloft_models.worker.model import load

        model = load(options.model)
    except Exception as error:  # whatever importing a stranger's model raises
        logging.getLogger("aloft.worker").exception("the model cannot be loaded")
        server.refuse("model_not_loadable", f"{type(error).__name__}: {error}"[:2000])
        return 1
    server.serve(model)
    return 0


if __name__ == "__main__":
    sys.exit(main())
