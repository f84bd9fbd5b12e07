"""What a plan costs before it is run: this machine timed, and what is published about what is not here."""
