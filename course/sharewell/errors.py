class SharewellError(ValueError):
    """Something that was asked for cannot be done; the message says why and what to do."""
