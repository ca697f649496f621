"""Networks and their training, as deep methods share them."""
