"""Built-in sample: drawn images with labels made by a program."""
