"""``python -m genointerp`` is the program `genointerp`."""

from genointerp.cli.main import main

if __name__ == "__main__":
    main()
