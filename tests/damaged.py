"""Files of torch with a damaged pickle, each of which ends torch.load in an error of its own."""

import struct
import zipfile

PICKLES = {
    "UnicodeDecodeError": (UnicodeDecodeError, b"\x80\x02X\x01\x00\x00\x00\xff."),  # no UTF-8
    "IndexError": (IndexError, b"\x80\x02."),  # an end before anything was read
    "KeyError": (KeyError, b"\x80\x02h\x05."),  # a reference to what was never named
    "struct.error": (struct.error, b"\x80\x02X\x01"),  # an end in the midst of a length
    "EOFError": (EOFError, b"\x80\x02"),  # no end; the error has no message
    "AssertionError": (AssertionError, b"\x80\x02K\x01Q."),  # a number where a storage is named
}


def write_damaged(path, pickled):
    """Write a file that torch takes for one of its own until it reads the pickle."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{path.stem}/data.pkl", pickled)
        archive.writestr(f"{path.stem}/version", "3\n")
    return path
