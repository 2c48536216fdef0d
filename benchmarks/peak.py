"""Weigh a command: ``python peak.py DESCRIPTOR COMMAND...`` writes its peak memory in bytes to the descriptor."""

import os
import sys

child = os.fork()
if child == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 -- no shell is what is wanted
_, status, usage = os.wait4(child, 0)
os.write(int(sys.argv[1]), str(usage.ru_maxrss * 1024).encode())
sys.exit(os.waitstatus_to_exitcode(status))
