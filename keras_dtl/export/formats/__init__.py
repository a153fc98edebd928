"""The files of an artifact, each with who writes it and who reads it back for the gate."""
