"""The standing attack: what this benchmark promises, tried again and again from outside.

``make reliability`` runs all of it; ``python -m attack --help`` (in ``tests/reliability``) names
its parts.  Each part is a module with one function that counts trials and what went wrong.
"""
