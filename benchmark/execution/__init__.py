"""Which cells there are, and how each is run, timed, tuned and spread over processes."""
