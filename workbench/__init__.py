"""The linguistic similarity workbench: recipes, systems, stages and commands around the store."""
