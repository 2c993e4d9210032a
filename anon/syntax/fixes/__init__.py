"""What people write instead of what the languages want, and what they meant: rules, by what they look at."""
