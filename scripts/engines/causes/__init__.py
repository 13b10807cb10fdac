"""Rules from what is seen of a release to the cause that keeps it from being well, a file for each place where causes arise."""
