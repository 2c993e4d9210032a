"""Script text to abstract syntax tree: the only home of lark."""
