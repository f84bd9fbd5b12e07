"""How the mini base models came about, from nothing but the mini collection."""
