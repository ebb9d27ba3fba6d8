class DatapolisError(ValueError):
    """What was asked of Datapolis cannot be made; the message says what can."""
