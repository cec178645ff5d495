"""Names of features, as dictionaries and features files hold them."""

from collections.abc import Callable, Mapping, Sequence

from genointerp.core.errors import SchemaError, UnknownNameError
from genointerp.core.nearest import suggested
from genointerp.core.text import clean_field, is_count

_SHOWN = 12
"""Most features that a message lists."""


def check_feature_names(names: object, n_features: int, *, where: str) -> dict[str, int]:
    """Check the names of features and return them.

    Raises
    ------
    SchemaError
        If it is no mapping from texts to features of the dictionary, or a name reads as a number:
        ``3`` and ``f/3`` mean feature 3, whatever is called so.
    """
    if not isinstance(names, dict):
        raise SchemaError(where, "features by name", type(names).__name__)
    for name, feature in names.items():
        if not isinstance(name, str) or not name.strip() or clean_field(name) != name:
            raise SchemaError(where, "names that are texts of one line", repr(name))
        if is_count(name.removeprefix("f/")):
            raise SchemaError(where, "names that are no numbers of features", repr(name))
        if type(feature) is not int or not 0 <= feature < n_features:
            expected = f"a feature from 0 to {n_features - 1}"
            raise SchemaError(f"{where}: {name}", expected, repr(feature))
    return dict(names)


def feature_number(
    feature: int | str,
    names: Mapping[str, int],
    *,
    where: str,
    labels: Callable[[], Mapping[str, Sequence[int]]] = dict,
) -> int:
    """Return the index of a feature, given by index, by a text like ``f/30262``, name or label.

    Parameters
    ----------
    labels
        Returns the features of each label; called only where it is neither a number nor a name.

    Raises
    ------
    UnknownNameError
        If it is a text that is none of these, or the label of several features.
    """
    number = names.get(str(feature), feature)
    if not isinstance(number, str):
        return number
    digits = number.removeprefix("f/")
    if is_count(digits):
        return int(digits)
    labelled = labels()
    found = labelled.get(number, ())
    if len(found) == 1:
        return int(found[0])
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        listed = f"{', '.join(map(str, found[:_SHOWN]))}{more}"
        one = f"{number!r} of features {listed}"
        raise UnknownNameError(f"{where}: feature", "a label of one feature", one)
    known = ", ".join(names) or "the dictionary has none"
    expected = f"a number or a name ({known})"
    expected += ", or a label" if labelled else ""
    raise UnknownNameError(f"{where}: feature", expected, suggested(feature, [*names, *labelled]))
