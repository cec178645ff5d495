"""Nobody but a page of the server gets an answer, whatever is asked for."""

import pytest

from genointerp.server.application import make_application
from genointerp.server.guard import HEADERS
from tests.server.conftest import HERE, PORT, TOKEN, TestClient

ADDRESSES = ["/", "/browse.html", "/features/3.html", "/library/igv.js", "/alive", "/sequence.fa"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_answered_without_the_token(stranger, address):
    found = stranger.get(address)
    assert found.status_code == 403
    assert "expected the address that `genointerp serve` printed" in found.text


@pytest.mark.parametrize("token", ["", "another", f"{TOKEN}x", "\N{SNOWMAN}"])
def test_a_wrong_token_is_refused_and_sets_no_cookie(stranger, token):
    found = stranger.get("/", params={"token": token})
    assert (found.status_code, "set-cookie" in found.headers) == (403, False)
    stranger.cookies.set(f"genointerp_{PORT}", "another")
    assert stranger.get("/").status_code == 403


def test_the_token_becomes_a_cookie_that_no_script_and_no_other_site_has(stranger):
    found = stranger.get("/", params={"token": TOKEN})
    cookie = found.headers["set-cookie"]
    assert cookie == f"genointerp_{PORT}={TOKEN}; Path=/; HttpOnly; SameSite=Strict"
    # the page that leads on does not hold the token, and neither does its address
    assert TOKEN not in found.text
    assert 'content="0; url=/"' in found.text
    assert stranger.get("/").status_code == 200


def test_the_token_is_taken_at_one_address_only(stranger):
    assert stranger.get("/alive", params={"token": TOKEN}).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", "", "[::1]:8765"]
)
def test_a_foreign_host_is_refused_even_with_the_cookie(client, host):
    """A name that resolves to this machine (DNS rebinding) stands in the Host header."""
    found = client.get("/alive", headers={"host": host})
    assert (found.status_code, found.text) == (
        400,
        "expected the host 127.0.0.1, found another one",
    )


@pytest.mark.parametrize("host", [f"localhost:{PORT}", f"127.0.0.1:{PORT}"])
def test_this_machine_has_two_names(client, host):
    assert client.get("/alive", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "others", ["version=2; ", 'prefs={"a":1}; ', "a b=1;", f"genointerp_{PORT}=old; ", ";; =; "]
)
def test_a_cookie_of_another_server_hides_none_of_this_one(stranger, others):
    cookie = f"{others}genointerp_{PORT}={TOKEN}"
    assert stranger.get("/alive", headers={"cookie": cookie}).status_code == 200
    for wrong in (cookie[:-1], cookie.replace(f"_{PORT}", "_1")):
        assert stranger.get("/alive", headers={"cookie": wrong}).status_code == 403


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_port_of_http_need_not_be_named(site, name):
    own = TestClient(make_application(site, port=80, token=TOKEN), base_url=f"http://{name}")
    own.get("/", params={"token": TOKEN})
    assert own.get("/alive", headers={"origin": f"http://{name}"}).status_code == 200
    assert own.get("/alive", headers={"host": f"{name}:80"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"http://127.0.0.1:{PORT + 1}"])
def test_a_foreign_origin_is_refused_even_with_the_cookie(client, origin):
    found = client.get("/alive", headers={"origin": origin})
    assert (found.status_code, "another origin" in found.text) == (403, True)
    assert client.get("/alive", headers={"origin": HERE}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_is_changed_so_that_no_other_method_is_needed(client, method):
    assert client.request(method, "/alive").status_code == 405


def test_a_body_or_a_long_address_is_refused_before_it_is_read(client):
    assert client.request("GET", "/alive", content=b"x").status_code == 413
    assert client.get("/search", params={"text": "x" * 3000}).status_code == 414
    # more digits than Python takes for a number
    assert client.get(f"/features/{'9' * 5000}.html").status_code == 414
    assert client.get("/search", params={"text": "x" * 300}).status_code == 400


@pytest.mark.parametrize("address", ["/", "/nothing", "/track"])
def test_every_answer_has_the_headers_that_keep_it_here(client, address):
    found = client.get(address)
    assert {name: found.headers[name] for name in HEADERS} == HEADERS
    policy = found.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; " in policy
    assert "frame-ancestors 'none'" in policy


def test_a_web_socket_is_closed_at_once(client):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/alive"):
        pass
