"""The real parts that tests lean on are real."""

import urllib.request

import pytest
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives

from migration_tracker.celery import app


def test_mail_arrives_at_a_real_server(smtp_server):
    mail = EmailMultiAlternatives("Hello", "Plain", to=["someone@example.test"])
    mail.attach_alternative("<p>Rich</p>", "text/html")
    mail.send()
    [kept] = smtp_server.wait_for(1)
    assert kept["Subject"] == "Hello"
    assert kept.get_body(["html"]).get_content().strip() == "<p>Rich</p>"


def test_a_worker_does_what_the_broker_hands_it(celery_worker):
    assert "practices.common.tasks.restart_jobs" in next(
        iter(app.control.inspect(timeout=1).registered().values())
    )


@pytest.mark.parametrize("time", ["first", "second"])
def test_the_web_server_follows_the_database_of_each_test(live_app, time):
    assert cache.get("left-behind") is None
    cache.set("left-behind", time)
    with urllib.request.urlopen(f"{live_app.url}/healthz/") as response:
        assert response.status == 200
        assert response.read() == b"ok\n"


@pytest.mark.parametrize("javascript", [True, False])
def test_the_browser_shows_the_sign_in_page(new_page, javascript):
    page = new_page(javascript=javascript)
    page.goto("/accounts/login/")
    assert page.locator("h1").inner_text() == "Sign in"


def test_nothing_reaches_beyond_this_machine():
    with pytest.raises(UserWarning, match=r"192\.0\.2\.1"):
        urllib.request.urlopen("http://192.0.2.1/", timeout=1)
