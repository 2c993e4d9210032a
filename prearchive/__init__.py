"""What happens to an instance after it arrived: intake, sessions, labels, review, archive."""
