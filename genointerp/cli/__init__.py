"""The command line: one file a command, which parses, calls one public function and writes."""
