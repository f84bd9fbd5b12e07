"""What the SQL screen is made of: its editor, what it completes, the catalogue beside it, its rows."""
