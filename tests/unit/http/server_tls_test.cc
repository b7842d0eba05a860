// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "tests/unit/http/client.h"

namespace glovebox::http::testing {
namespace {

using ::testing::HasSubstr;

template <auto kFree>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <typename T, auto kFree>
using Owned = std::unique_ptr<T, Deleter<kFree>>;

// A fresh key and its self-signed certificate in a folder that goes with it.
class TestCertificate {
 public:
  TestCertificate() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    const Owned<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
    const Owned<X509, X509_free> certificate(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3'600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* const name = X509_get_subject_name(certificate.get());
    const std::array<unsigned char, 10> host = {"localhost"};
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host.data(), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    EXPECT_NE(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
    const Owned<BIO, BIO_free> key_file(BIO_new_file(options().private_key_file.c_str(), "w"));
    EXPECT_EQ(PEM_write_bio_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
    const Owned<BIO, BIO_free> certificate_file(BIO_new_file(options().certificate_chain_file.c_str(), "w"));
    EXPECT_EQ(PEM_write_bio_X509(certificate_file.get(), certificate.get()), 1);
  }
  ~TestCertificate() {
    unlink(options().certificate_chain_file.c_str());
    unlink(options().private_key_file.c_str());
    rmdir(folder_.c_str());
  }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  [[nodiscard]] TlsOptions options() const { return {folder_ + "/certificate.pem", folder_ + "/key.pem"}; }

 private:
  std::string folder_ = "/tmp/glovebox_tls_XXXXXX";
};

// Sends `request` over TLS of at most `version_max`, and gives all that comes back.
std::string FetchTls(std::uint16_t port, std::string_view request, int version_max = 0) {
  Client client(port);
  const Owned<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_max_proto_version(context.get(), version_max);
  SSL_CTX_set_security_level(context.get(), 0);
  const Owned<SSL, SSL_free> ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), client.fd());
  if (SSL_connect(ssl.get()) != 1) {
    return "no handshake";
  }
  while (!request.empty()) {
    const int count =
        SSL_write(ssl.get(), request.data(), static_cast<int>(std::min<std::size_t>(request.size(), 16'384)));
    if (count <= 0) {
      break;
    }
    request.remove_prefix(static_cast<std::size_t>(count));
  }
  std::string all;
  std::array<char, 65'536> buffer{};
  int count = 0;
  while ((count = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()))) > 0) {
    all.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return all + (SSL_get_error(ssl.get(), count) == SSL_ERROR_ZERO_RETURN ? "" : "[cut]");
}

class Tls : public ::testing::Test {
 protected:
  ServerOptions Options() {
    ServerOptions options;
    options.tls = certificate_.options();
    return options;
  }
  TestCertificate certificate_;
};

TEST_F(Tls, ServesAndEndsProperly) {
  const auto server = StartServer(HelloRouter(), Options());
  const std::string all = FetchTls(server->port(), Get("/hello") + Get("/hello", "Connection: close\r\n"));
  EXPECT_TRUE(all.ends_with("\r\n\r\nhello")) << all;
  EXPECT_THAT(all, HasSubstr("Strict-Transport-Security: max-age="));
  EXPECT_THAT(FetchTls(server->port(), Get("/hello", "Connection: close\r\n"), TLS1_2_VERSION), HasSubstr("200 OK"));
}

TEST_F(Tls, CarriesLargeBodiesBothWays) {
  const auto server = StartServer(HelloRouter(), Options());
  const std::string body(1'000'000, 'x');
  const std::string all = FetchTls(
      server->port(), "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n" + body);
  EXPECT_TRUE(all.ends_with("\r\n\r\n" + body));
}

TEST_F(Tls, RefusesOldVersionsAndPlainText) {
  const auto server = StartServer(HelloRouter(), Options());
  EXPECT_EQ(FetchTls(server->port(), Get("/hello"), TLS1_1_VERSION), "no handshake");
  EXPECT_EQ(Fetch(server->port(), Get("/hello")).status, 0);
  EXPECT_THAT(FetchTls(server->port(), Get("/hello", "Connection: close\r\n")), HasSubstr("200 OK"));
}

TEST_F(Tls, SilentClientIsDropped) {
  ServerOptions options = Options();
  options.head_timeout_ms = 30;
  const auto server = StartServer(HelloRouter(), options);
  Client client(server->port());
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(Tls, BadFilesAreNamed) {
  ServerOptions options = Options();
  options.tls->certificate_chain_file = "/nonexistent.pem";
  const auto no_certificate = Server::Start(options, HelloRouter(), kClock, kRandom);
  ASSERT_FALSE(no_certificate.ok());
  EXPECT_THAT(no_certificate.status().message(), HasSubstr("/nonexistent.pem"));
  const TestCertificate other;
  options = Options();
  options.tls->private_key_file = other.options().private_key_file;
  const auto wrong_key = Server::Start(options, HelloRouter(), kClock, kRandom);
  ASSERT_FALSE(wrong_key.ok());
  EXPECT_EQ(wrong_key.status().code(), ErrorCode::kInvalidParameterValue);
}

}  // namespace
}  // namespace glovebox::http::testing
