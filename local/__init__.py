"""The embedded AWS: start it, deploy the real template to it, seed a sample month, stop it."""
