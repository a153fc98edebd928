"""Fixtures of the data tests."""

import os
import socket

import pytest


@pytest.fixture
def offline(monkeypatch):
    """No name resolves, and no proxy is configured."""

    def fail(*arguments, **keywords):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    for variable in list(os.environ):
        if variable.lower().endswith("_proxy"):
            monkeypatch.delenv(variable)
