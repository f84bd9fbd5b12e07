"""The `lsw` command. Data goes to stdout, talk to stderr; 0 ok, 1 failed, 2 bad input, 130 interrupted."""
