"""What the command tells its caller when it ends."""

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
