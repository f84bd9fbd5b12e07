"""From a recipe or a command to the stages that it asks for."""
