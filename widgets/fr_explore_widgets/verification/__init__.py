"""`VerificationExplorer`: genuine and impostor distances and a threshold."""
