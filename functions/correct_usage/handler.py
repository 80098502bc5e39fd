"""POST /usage/corrections: takes counted usage back, or sets it right; each id once."""

from http import HTTPStatus

from aws_lambda_powertools import Logger

from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Problem,
    Response,
    api,
    conflict,
    json_body,
    ok,
    query_parameters,
    received_at,
)
from invoicing.foundation.audit import Actor
from invoicing.foundation.settings import settings
from invoicing.invoices.corrected_months import corrections_over
from invoicing.usage.corrected_json import corrected_json
from invoicing.usage.correction import (
    CorrectionRefused,
    InvalidCorrection,
    NothingToCorrect,
    read_correction,
)

logger = Logger(service="correct_usage")

REFUSALS = (InvalidCorrection, NothingToCorrect, CorrectionRefused)


@api(
    logger,
    may=lambda caller: caller.is_admin,
    answers={
        NothingToCorrect: lambda error: Problem(HTTPStatus.NOT_FOUND, str(error)),
        CorrectionRefused: lambda error: conflict(error.reasons),
    },
)
def handler(event: Event, caller: Caller) -> Response:
    """Answers what the correction changed; a repeat of its id changes nothing and says so."""
    query_parameters(event, frozenset())
    correction = read_correction(json_body(event))
    about = {"correction_id": correction.id, "form": correction.form, "by": caller.subject}
    actor = Actor(caller.subject, caller.name)
    try:
        corrected = corrections_over(settings()).correct(correction, actor, received_at(event))
    except REFUSALS as error:
        logger.info("refused", extra=about | {"reason": str(error)})
        raise
    body = corrected_json(corrected)
    changed = {name: body[name] for name in ("repeated", "days", "counts")}
    logger.info("usage corrected", extra=about | changed)
    return ok(body)
