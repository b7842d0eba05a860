// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/strings.h"

namespace glovebox::cli {
namespace {

using testing::HasSubstr;

constexpr std::size_t kFileBytesMax = 1U << 16U;

// Notes what it was asked for.
class RecordingProgram final : public Program {
 public:
  Status Serve(const ServeOptions& options) override {
    served.push_back(options);
    return answer;
  }
  Result<IssuedToken> CreateOrganisation(const OrganisationRequest& request) override {
    organisations.push_back(request);
    return Issue(request.admin_user);
  }
  Result<IssuedToken> CreateToken(const TokenRequest& request) override {
    tokens.push_back(request);
    return Issue(request.principal);
  }

  Status answer;
  std::vector<ServeOptions> served;
  std::vector<OrganisationRequest> organisations;
  std::vector<TokenRequest> tokens;

 private:
  [[nodiscard]] Result<IssuedToken> Issue(const std::string& principal) const {
    if (!answer.ok()) {
      return answer;
    }
    return IssuedToken{.organisation = "Insurer",
                       .organisation_id = "id",
                       .global_metastore_id = "local:local:id",
                       .workspace_id = 7,
                       .principal = principal,
                       .token = "the-token"};
  }
};

class CliTest : public testing::Test {
 protected:
  int Run(const std::vector<const char*>& words) {
    std::vector<const char*> arguments = {"glovebox"};
    for (const char* word : words) {
      arguments.push_back(word);
    }
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = Main(static_cast<int>(arguments.size()), arguments.data(), program_);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }

  RecordingProgram program_;
  std::string out_;
  std::string err_;
};

TEST_F(CliTest, ServeReadsItsOptions) {
  EXPECT_EQ(Run({"serve", "--data", "/d", "--listen", "[::1]:99", "--metrics-listen", "127.0.0.1:98",
                 "--allow-unconfined-workers"}),
            kExitOk);
  ASSERT_EQ(program_.served.size(), 1U);
  EXPECT_EQ(program_.served[0].data_folder, "/d");
  EXPECT_EQ(program_.served[0].host, "::1");
  EXPECT_EQ(program_.served[0].port, 99);
  EXPECT_EQ(program_.served[0].metrics_host, "127.0.0.1");
  EXPECT_EQ(program_.served[0].metrics_port, 98);
  EXPECT_EQ(program_.served[0].unconfined, UnconfinedWorkers::kAllow);
}

TEST_F(CliTest, WorkersAreConfinedUnlessTheOperatorSaysOtherwise) {
  EXPECT_EQ(Run({"serve", "--data", "/d"}), kExitOk);
  EXPECT_EQ(program_.served.at(0).unconfined, UnconfinedWorkers::kRefuse);
  EXPECT_EQ(program_.served.at(0).metrics_host, "");
  EXPECT_EQ(program_.served.at(0).host, "127.0.0.1");
}

TEST_F(CliTest, WithoutTlsOnlyThisMachineIsServedUnlessTheOperatorSaysOtherwise) {
  EXPECT_EQ(Run({"serve", "--data", "/d", "--listen", "0.0.0.0:80"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("--insecure-http"));
  EXPECT_EQ(Run({"serve", "--data", "/d", "--listen", "[::]:80"}), kExitUsage);
  EXPECT_EQ(Run({"serve", "--data", "/d", "--listen", "127.evil.example:80"}), kExitUsage);
  EXPECT_TRUE(program_.served.empty());
  EXPECT_EQ(Run({"serve", "--data", "/d", "--listen", "0.0.0.0:80", "--insecure-http"}), kExitOk);
  EXPECT_EQ(Run({"serve", "--data", "/d", "--listen", "0.0.0.0:80", "--tls-certificate", "c", "--tls-key", "k"}),
            kExitOk);
  EXPECT_EQ(Run({"serve", "--data", "/d", "--listen", "127.8.0.1:80"}), kExitOk);
  EXPECT_EQ(program_.served.size(), 3U);
}

TEST_F(CliTest, WrongArgumentsDoNothing) {
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {},
           {"nothing"},
           {"serve", "--nothing"},
           {"serve", "--listen", "x:y"},
           {"serve", "--tls-key", "k.pem"},
           {"organisation"},
           {"organisation", "create", "Insurer"},
           {"token", "create", "--organisation", "Insurer"},
           {"token", "create", "--organisation", "Insurer", "--user", "u", "--days", "0"},
           {"audit", "verify"},
           {"audit", "verify", "x", "--min-size", "-1"},
           {"audit", "replan"},
       }) {
    EXPECT_EQ(Run(arguments), kExitUsage);
    EXPECT_FALSE(err_.empty());
  }
  EXPECT_TRUE(program_.served.empty() && program_.organisations.empty() && program_.tokens.empty());
}

TEST_F(CliTest, ATokenIsPrintedOnceOnStandardOutput) {
  EXPECT_EQ(Run({"organisation", "create", "Insurer", "--admin", "ann", "--data", "/d"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("the-token"));
  EXPECT_THAT(err_, testing::Not(HasSubstr("the-token")));
  EXPECT_EQ(program_.organisations.at(0).name, "Insurer");
  EXPECT_EQ(program_.organisations.at(0).admin_user, "ann");
}

TEST_F(CliTest, DaysBecomeSeconds) {
  EXPECT_EQ(Run({"token", "create", "--organisation", "I", "--user", "u", "--days", "2", "--data", "/d"}), kExitOk);
  EXPECT_EQ(program_.tokens.at(0).lifetime_seconds, 172'800);
}

TEST_F(CliTest, AFailureIsOneLineOnStandardError) {
  program_.answer = Status(ErrorCode::kUnavailable, "the folder is in use");
  EXPECT_EQ(Run({"serve", "--data", "/d"}), kExitFailed);
  EXPECT_EQ(err_, "glovebox: the folder is in use\n");
  EXPECT_EQ(out_, "");
}

TEST_F(CliTest, PrintsErrorsAndVersion) {
  EXPECT_EQ(Run({"errors"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("| `UNAUTHENTICATED` | 401 |"));
  const auto page = ReadFile("docs/errors.md", kFileBytesMax);
  ASSERT_TRUE(page.ok()) << "run in the root of the repository";
  EXPECT_EQ(out_, *page) << "write it anew: glovebox errors > docs/errors.md";
  EXPECT_EQ(Run({"version"}), kExitOk);
  EXPECT_EQ(out_, "glovebox " + std::string(kVersion) + "\n");
}

// The commands that a page of help lists: the first words of the lines that are indented by two, after `begin`.
std::set<std::string> Commands(const std::string& help, const std::string& begin) {
  std::set<std::string> commands;
  for (const std::string& line : Split(help.substr(help.find(begin)), '\n')) {
    if (line.starts_with("  ") && line.size() > 2 && line[2] != ' ') {
      commands.insert(line.substr(2, line.find(' ', 2) - 2));
    } else if (line.empty() && !commands.empty()) {
      break;
    }
  }
  return commands;
}

TEST_F(CliTest, TheHelpBeforeTheFirstBuildListsTheSameCommands) {
  EXPECT_EQ(Run({"--help"}), kExitOk);
  const auto unbuilt = ReadFile("tools/help-unbuilt.txt", kFileBytesMax);
  ASSERT_TRUE(unbuilt.ok()) << "run in the root of the repository";
  const std::set<std::string> built = Commands(out_, "Subcommands:");
  EXPECT_TRUE(built.contains("serve"));
  EXPECT_EQ(Commands(*unbuilt, "Commands of the program"), built);
}

TEST_F(CliTest, ABundleThatIsNotThereIsNotValid) {
  EXPECT_EQ(Run({"audit", "verify", "/nonexistent/bundle"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("glovebox: "));
  EXPECT_EQ(Run({"audit", "replan", "/nonexistent/bundle"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("glovebox: "));
}

}  // namespace
}  // namespace glovebox::cli
