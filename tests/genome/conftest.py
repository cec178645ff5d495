from hypothesis import settings

# no test depends upon how fast the machine is
settings.register_profile("no deadline", deadline=None, max_examples=50)
settings.load_profile("no deadline")
