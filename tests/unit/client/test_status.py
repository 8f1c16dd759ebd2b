from __future__ import annotations

import pytest

from kubewright import errors
from kubewright.client import error_from_response
from kubewright.errors import StatusCause

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("code", "reason", "cls"),
    [
        (400, "BadRequest", errors.BadRequest),
        (401, "Unauthorized", errors.Unauthorized),
        (403, "Forbidden", errors.Forbidden),
        (404, "NotFound", errors.NotFound),
        (405, "MethodNotAllowed", errors.MethodNotAllowed),
        (406, "NotAcceptable", errors.NotAcceptable),
        (409, "Conflict", errors.Conflict),
        (409, "AlreadyExists", errors.AlreadyExists),
        (410, "Expired", errors.Gone),
        (413, "RequestEntityTooLarge", errors.RequestEntityTooLarge),
        (415, "UnsupportedMediaType", errors.UnsupportedMediaType),
        (422, "Invalid", errors.Invalid),
        (429, "TooManyRequests", errors.TooManyRequests),
        (500, "InternalError", errors.InternalServerError),
        (501, "", errors.NotImplementedByServer),
        (503, "ServiceUnavailable", errors.ServiceUnavailable),
        (504, "Timeout", errors.GatewayTimeout),
        (418, "", errors.ApiError),
    ],
)
def test_each_code_has_its_class(code, reason, cls):
    body = b'{"kind":"Status","code":%d,"reason":"%s","message":"why"}' % (code, reason.encode())
    error = error_from_response(code, JSON, body, doing="GET /x")
    assert type(error) is cls
    assert (error.code, error.reason, str(error)) == (code, reason, "why")


def test_details_and_causes_are_kept():
    body = (
        b'{"kind":"Status","code":422,"reason":"Invalid","message":"m","details":{"name":"a","group":"apps",'
        b'"kind":"Deployment","causes":[{"reason":"FieldValueRequired","message":"Required value",'
        b'"field":"spec.selector"},{"field":"x"}],"retryAfterSeconds":3}}'
    )
    error = error_from_response(422, JSON, body, doing="")
    assert error.details == {"name": "a", "group": "apps", "kind": "Deployment"}
    assert error.causes == (
        StatusCause("FieldValueRequired", "Required value", "spec.selector"),
        StatusCause("", "", "x"),
    )
    assert error.retry_after == 3


def test_the_header_says_when_to_come_back():
    error = error_from_response(429, {**JSON, "retry-after": "7"}, b'{"kind":"Status"}', doing="")
    assert error.retry_after == 7
    error = error_from_response(503, {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, b"", doing="")
    assert error.retry_after is None


@pytest.mark.parametrize("body", [b"", b"upstream connect\nerror", b'{"not":"a status"}', b"{broken"])
def test_what_is_no_status_names_request_and_text(body):
    error = error_from_response(502, {"content-type": "text/plain"}, body, doing="GET /api")
    assert type(error) is errors.ApiError
    assert str(error).startswith("GET /api: the server answered 502")
    assert error.code == 502


def test_plain_http_sent_to_a_tls_port():
    error = error_from_response(400, {}, b"Client sent an HTTP request to an HTTPS server.\n", doing="GET /api")
    assert "https://" in error.hint


@pytest.mark.parametrize(
    "body", [b"404 page not found", b'{"kind":"Status","code":404,"message":"the server could not find it"}']
)
def test_a_resource_that_is_not_served(body):
    error = error_from_response(404, {}, body, doing="GET /apis/x/v1/y")
    assert "install its CustomResourceDefinition" in error.hint
    named = b'{"kind":"Status","code":404,"message":"gone","details":{"name":"a","kind":"pods"}}'
    assert not error_from_response(404, {}, named, doing="").hint


def test_a_login_page():
    error = error_from_response(302, {"location": "/login"}, b"", doing="GET /api")
    assert "login" in error.hint
