"""Names of features, as dictionaries and features files hold them."""

from collections.abc import Mapping

from genointerp.core.errors import SchemaError, UnknownNameError
from genointerp.core.nearest import suggested
from genointerp.core.text import clean_field, is_count


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


def feature_number(feature: int | str, names: Mapping[str, int], *, where: str) -> int:
    """Return the index of a feature, given by index, by a text like ``f/30262`` or by name.

    Raises
    ------
    UnknownNameError
        If it is a text that is neither a number nor a name.
    """
    number = names.get(str(feature), feature)
    if not isinstance(number, str):
        return number
    digits = number.removeprefix("f/")
    if not is_count(digits):
        known = ", ".join(names) or "the dictionary has none"
        found = suggested(feature, names)
        raise UnknownNameError(f"{where}: feature", f"a number or a name ({known})", found)
    return int(digits)
