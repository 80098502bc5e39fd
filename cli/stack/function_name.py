"""What a deployed function is called; a test holds the template to it."""


def function_name(stack: str, folder: str) -> str:
    """The name of a folder of functions/ in a stack: `monthend-get-invoice` of `get_invoice`."""
    return f"{stack}-{folder.replace('_', '-')}"
