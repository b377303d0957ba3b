"""`python -m comptoir.cli`: the same as the command `comptoir`."""

from comptoir.cli.main import main

if __name__ == "__main__":
    main()
