"""The first thing that a worker process does: see to it that it ends with its command.

It imports little, so that a worker knows its command before it loads the libraries that cells need.
"""

from __future__ import annotations

import os
import threading
import time
from multiprocessing.connection import Connection

#: Seconds between two looks at whether the command is still there.
LOOK_EVERY = 0.5


def serve(connection: Connection, command: int) -> None:
    """The life of a worker of the process `command`: it is sent what it is to do, and does it."""
    threading.Thread(target=end_with, args=(command,), daemon=True).start()
    try:
        work = connection.recv()
    except (EOFError, OSError):
        return
    work(connection)


def end_with(command: int) -> None:
    """End this process when the command is gone, also if it was gone before this was started."""
    while os.getppid() == command:
        time.sleep(LOOK_EVERY)
    os._exit(1)
