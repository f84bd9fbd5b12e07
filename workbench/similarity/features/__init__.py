"""The features, each one file with what it measures, in which unit and by whom it was proposed."""
