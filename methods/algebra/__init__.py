"""Linear algebra that methods share: principal axes, clusters, anchor graphs, codebooks."""
