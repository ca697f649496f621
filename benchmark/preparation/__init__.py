"""A data set and the user's choice of features and tags become the arrays that cells open."""
