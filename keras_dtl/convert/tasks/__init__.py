"""What is made of each file, one kind of model a class."""
