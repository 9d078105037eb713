"""What runs inside the forked processes. Standard library only: the fork server knows no other package."""
