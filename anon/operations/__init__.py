"""What statements do to a data set."""
