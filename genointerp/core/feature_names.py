"""Names of features, as dictionaries and features files hold them."""

from genointerp.core.errors import SchemaError
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
