"""Drawing with matplotlib: functions that take tables and arrays, take and return Axes."""
