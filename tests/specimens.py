"""Specimens of what a test has made by hand."""

from genointerp.feature.specimen import Specimen


def specimen(store, elements=None, **known):
    """A genome that is called after its features file."""
    return Specimen(store.path.stem, store, elements=elements, **known)


def specimens(stores, **known):
    """A specimen of each store; of what is known of them, as many in the same order."""
    columns = zip(*known.values(), strict=True) if known else [()] * len(stores)
    return [
        specimen(store, **dict(zip(known, values, strict=True)))
        for store, values in zip(stores, columns, strict=True)
    ]
