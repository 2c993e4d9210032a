"""The linter: what a script allows itself and hardly means, in rules of one function each."""
