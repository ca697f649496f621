"""How sure a difference is: intervals and paired tests from per-query values."""
