"""The names of deployed functions; a test checks the template against them."""


def function_name(stack: str, folder: str) -> str:
    """The name of a folder of functions/ in a stack: `monthend-get-invoice` for `get_invoice`."""
    return f"{stack}-{folder.replace('_', '-')}"
