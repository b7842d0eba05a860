# SPDX-License-Identifier: Apache-2.0
"""A server with a certificate of its own."""

import datetime
import ipaddress
import json
import ssl
import urllib.request

import pytest
from conftest import Server, create_organisation, run_glovebox
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@pytest.fixture
def certificate(tmp_path):
    """(certificate file, key file) for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "glovebox test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256()))
    paths = tmp_path / "cert.pem", tmp_path / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return paths


def test_tls(tmp_path, certificate):
    organisation = create_organisation(tmp_path / "data", "Insurer", "ann@insurer.example")
    server = Server(tmp_path / "data", "--tls-certificate", str(certificate[0]), "--tls-key", str(certificate[1]))
    try:
        assert server.url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=str(certificate[0]))
        call = urllib.request.Request(server.url + "/api/2.0/preview/scim/v2/Me")
        call.add_header("Authorization", f"Bearer {organisation.token}")
        with urllib.request.urlopen(call, timeout=30, context=context) as answer:
            assert json.load(answer)["userName"] == "ann@insurer.example"
        with urllib.request.urlopen(server.url + "/.well-known/databricks-config", timeout=30, context=context) as answer:
            assert json.load(answer)["oidc_endpoint"] == server.url + "/oidc"
    finally:
        assert server.stop() == 0


def test_plain_http_for_other_machines_must_be_asked_for(tmp_path):
    done = run_glovebox("serve", "--data", tmp_path / "data", "--listen", "0.0.0.0:0")
    assert done.returncode == 3 and "--tls-certificate" in done.stderr and "--insecure-http" in done.stderr, done
    assert not (tmp_path / "data").exists()


def test_a_bad_certificate_is_said_at_the_start(tmp_path):
    (tmp_path / "cert.pem").write_text("no certificate")
    (tmp_path / "key.pem").write_text("no key")
    done = run_glovebox("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--tls-certificate", tmp_path / "cert.pem",
                        "--tls-key", tmp_path / "key.pem")
    assert done.returncode == 3 and "cert.pem" in done.stderr, done
