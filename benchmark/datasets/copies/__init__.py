"""What people have of the published collections, in place of the official files."""
