"""Who is at the command line, as AWS knows them; the history of changes names them."""

import re

from cli.stack.stack import Stack
from invoicing.foundation.audit import Actor

ARN_PARTS = re.compile("[/:]")


def caller(stack: Stack) -> Actor:
    """The caller's AWS identity: its unique id, and the last part of its ARN as the name.

    The id is IAM's, not the ARN: a user who is deleted and created again has another id. For an
    assumed role it ends in the session's name, which with single sign-on is the person.
    """
    identity = stack.client("sts").get_caller_identity()
    return Actor(identity["UserId"], ARN_PARTS.split(identity["Arn"])[-1])
