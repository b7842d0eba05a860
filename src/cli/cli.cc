// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/errors.h"
#include "cli/arguments.h"
#include "cli/audit.h"
#include "cli/probe.h"
#include "engine/process_engine.h"

namespace glovebox::cli {
namespace {

constexpr const char* kDataHelp =
    "Folder of the server's data; made if it is not there (default: $XDG_DATA_HOME/glovebox or "
    "~/.local/share/glovebox)";

constexpr const char* kErrorsHead =
    "# Error codes\n\n"
    "The closed list: every error of the server carries one of these. Printed by `glovebox errors`.\n\n";

int Fail(const Status& status) {
  std::fprintf(stderr, "glovebox: %s\n", status.message().c_str());
  return status.code() == ErrorCode::kInvalidParameterValue ? kExitUsage : kExitFailed;
}

// Fills in the default folder where none was named.
Status CompleteDataFolder(std::string& folder) {
  if (!folder.empty()) {
    return {};
  }
  GB_ASSIGN_OR_RETURN(folder, DefaultDataFolder());
  return {};
}

void PrintIssued(const IssuedToken& issued) {
  std::printf("organisation         %s\n", issued.organisation.c_str());
  std::printf("organisation id      %s\n", issued.organisation_id.c_str());
  std::printf("global metastore id  %s\n", issued.global_metastore_id.c_str());
  std::printf("workspace id         %lld\n", static_cast<long long>(issued.workspace_id));
  std::printf("principal            %s\n", issued.principal.c_str());
  std::printf("token                %s\n", issued.token.c_str());
  std::fflush(stdout);
  std::fputs("The token is shown this once and stored only as a hash. Keep it secret.\n", stderr);
}

// Each command adds its options and leaves in `run` what is to be done once they are read.
using Run = std::function<int()>;

Status ReadMetricsAddress(const std::string& text, ServeOptions& options) {
  if (!text.empty()) {
    GB_ASSIGN_OR_RETURN(Address address, ParseAddress(text));
    options.metrics_host = std::move(address.host);
    options.metrics_port = address.port;
  }
  return {};
}

void AddServe(CLI::App& app, Program& program, Run& run) {
  CLI::App* command = app.add_subcommand("serve", "Start a server with an embedded store");
  command->footer(
      "The server listens until SIGTERM or Ctrl+C, which lets running requests finish. Its address is printed on "
      "stdout\n"
      "when it is ready; its log goes to stderr, one JSON object a line, without any data.");
  auto options = std::make_shared<ServeOptions>();
  auto listen = std::make_shared<std::string>("127.0.0.1:8080");
  auto allow = std::make_shared<bool>(false);
  command->add_option("--data", options->data_folder, kDataHelp)->type_name("DIRECTORY");
  command->add_option("--listen", *listen, "Address to listen on; port 0 takes any free one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  auto metrics = std::make_shared<std::string>();
  command
      ->add_option(
          "--metrics-listen", *metrics,
          "Address for GET /metrics (Prometheus), which nobody serves without this option. Whoever reaches it\n"
          "may read the counters: choose one that a proxy in front of the server does not pass on")
      ->type_name("HOST:PORT");
  auto* certificate =
      command->add_option("--tls-certificate", options->tls_certificate, "Certificate chain (PEM) for TLS")
          ->type_name("FILE");
  auto* key = command->add_option("--tls-key", options->tls_key, "Private key (PEM) for TLS")->type_name("FILE");
  auto insecure = std::make_shared<bool>(false);
  command->add_flag("--insecure-http", *insecure,
                    "Listen without TLS on an address that other machines reach. Tokens and data are readable on the "
                    "way;\nonly for a network that carries nobody else's traffic, or behind a proxy that has the TLS");
  certificate->needs(key);
  key->needs(certificate);
  command->add_flag("--allow-unconfined-workers", *allow,
                    "Run queries although this machine's kernel cannot confine worker processes. Without it, such a\n"
                    "machine serves everything but queries and runs");
  command->callback([options, listen, metrics, allow, insecure, &program, &run] {
    run = [options, listen, metrics, allow, insecure, &program]() -> int {
      if (const Status read = ReadMetricsAddress(*metrics, *options); !read.ok()) {
        return Fail(read);
      }
      auto address = ParseAddress(*listen);
      if (!address.ok()) {
        return Fail(address.status());
      }
      if (options->tls_certificate.empty() && !*insecure && !IsLoopback(address->host)) {
        return Fail(Status(ErrorCode::kInvalidParameterValue,
                           "Other machines reach '" + address->host +
                               "', and without TLS tokens travel in clear: give --tls-certificate and --tls-key, or "
                               "--insecure-http if that is what you want."));
      }
      options->host = std::move(address->host);
      options->port = address->port;
      options->unconfined = *allow ? UnconfinedWorkers::kAllow : UnconfinedWorkers::kRefuse;
      if (const Status folder = CompleteDataFolder(options->data_folder); !folder.ok()) {
        return Fail(folder);
      }
      const Status served = program.Serve(*options);
      return served.ok() ? kExitOk : Fail(served);
    };
  });
}

void AddOrganisation(CLI::App& app, Program& program, Run& run) {
  CLI::App* group = app.add_subcommand("organisation", "Organisations of a server");
  group->require_subcommand(1);
  CLI::App* command = group->add_subcommand("create", "Make an organisation with its metastore and its first admin");
  command->footer("The server of the data folder must not run. Prints the admin's token on stdout, this once.");
  auto request = std::make_shared<OrganisationRequest>();
  command->add_option("name", request->name, "Name of the organisation")->required()->type_name("NAME");
  command->add_option("--admin", request->admin_user, "User name (e-mail address) of the first admin")
      ->required()
      ->type_name("USER");
  command->add_option("--data", request->data_folder, kDataHelp)->type_name("DIRECTORY");
  command->add_option("--cloud", request->cloud, "Cloud, as rooms name it")->capture_default_str();
  command->add_option("--region", request->region, "Region, as rooms name it")->capture_default_str();
  command->callback([request, &program, &run] {
    run = [request, &program]() -> int {
      if (const Status folder = CompleteDataFolder(request->data_folder); !folder.ok()) {
        return Fail(folder);
      }
      const auto issued = program.CreateOrganisation(*request);
      if (!issued.ok()) {
        return Fail(issued.status());
      }
      PrintIssued(*issued);
      return kExitOk;
    };
  });
}

void AddToken(CLI::App& app, Program& program, Run& run) {
  CLI::App* group = app.add_subcommand("token", "Personal access tokens");
  group->require_subcommand(1);
  CLI::App* command = group->add_subcommand("create", "Make a token for a user or service principal, as the operator");
  command->footer(
      "The server of the data folder must not run. Users make their own tokens by POST /api/2.0/token/create; admins "
      "make\n"
      "them for others by POST /api/2.0/token-management/on-behalf-of/tokens.");
  auto request = std::make_shared<TokenRequest>();
  auto days = std::make_shared<std::int64_t>(0);
  command->add_option("--organisation", request->organisation, "Name of the organisation")
      ->required()
      ->type_name("NAME");
  command->add_option("--user", request->principal, "User name, or application id of a service principal")
      ->required()
      ->type_name("USER");
  command->add_option("--comment", request->comment, "What the token is for");
  command->add_option("--days", *days, "Days until it expires (default: the longest allowed)")
      ->check(CLI::PositiveNumber);
  command->add_option("--data", request->data_folder, kDataHelp)->type_name("DIRECTORY");
  command->callback([request, days, &program, &run] {
    run = [request, days, &program]() -> int {
      constexpr std::int64_t kSecondsPerDay = 86'400;
      constexpr std::int64_t kDaysMax = 100'000;
      if (*days > kDaysMax) {
        return Fail(Status(ErrorCode::kInvalidParameterValue, "--days is too large."));
      }
      if (*days > 0) {
        request->lifetime_seconds = *days * kSecondsPerDay;
      }
      if (const Status folder = CompleteDataFolder(request->data_folder); !folder.ok()) {
        return Fail(folder);
      }
      const auto issued = program.CreateToken(*request);
      if (!issued.ok()) {
        return Fail(issued.status());
      }
      PrintIssued(*issued);
      return kExitOk;
    };
  });
}

void AddBundleOptions(CLI::App& command, VerifyRequest& request, bool& as_json) {
  command.add_option("bundle", request.bundle, "Folder or tar archive")->required()->type_name("BUNDLE");
  command.add_option("--pin", request.pin, "The room's origin, or the SHA-256 of its first entry, as you noted it")
      ->type_name("HASH");
  command.add_option("--min-size", request.min_size, "Entries that the ledger must have at least")
      ->check(CLI::NonNegativeNumber)
      ->type_name("COUNT");
  command
      .add_option("--checkpoint", request.checkpoint_files, "A checkpoint that you hold; the ledger must contain it")
      ->type_name("FILE");
  command.add_flag("--json", as_json, "Print the report as JSON");
}

void AddAudit(CLI::App& app, Run& run) {
  CLI::App* group = app.add_subcommand("audit", "The evidence of a room");
  group->require_subcommand(1);
  const auto add = [group, &run](const char* name, const char* description, const char* footer,
                                 std::function<int(const VerifyRequest&)> execute) {
    CLI::App* command = group->add_subcommand(name, description);
    command->footer(footer);
    auto request = std::make_shared<VerifyRequest>();
    auto as_json = std::make_shared<bool>(false);
    AddBundleOptions(*command, *request, *as_json);
    command->callback([request, as_json, execute = std::move(execute), &run] {
      run = [request, as_json, execute]() -> int {
        request->form = *as_json ? ReportForm::kJson : ReportForm::kText;
        return execute(*request);
      };
    });
  };
  add("verify", "Verify an evidence bundle, offline",
      "Exit code: 0 valid; 1 not valid; 2 valid, with findings that somebody should look at; 3 wrong arguments.\n"
      "Without --pin the bundle is checked against itself only: note the room's pin when you join it.",
      VerifyBundle);
  add("replan", "Verify an evidence bundle and compute the plan certificates of its runs again, offline",
      "Each run's certificate is made once more of the bundle's code and rules and of the schemas that it names, and\n"
      "compared byte by byte. Exit code: that of verify; 1 also where a certificate differs.",
      [](const VerifyRequest& request) {
        engine::ProcessEngine engine({});
        return ReplanBundle(request, engine);
      });
}

void AddProbe(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("probe", "Run statements through planner and worker of a small room");
  command->footer(
      "FILE has one JSON object a line: {\"id\", \"sql\"} or {\"id\", \"steps\": [...]}. Each line is answered by one "
      "JSON object on\n"
      "stdout: what is released, or which rule refuses. Exit code 2 if the file or the tables cannot be read.");
  auto file = std::make_shared<std::string>();
  auto data = std::make_shared<std::string>();
  auto shared = std::make_shared<bool>(false);
  command->add_option("file", *file, "Statements")->required()->type_name("FILE");
  command->add_option("--data", *data, "Folder with the tables crm.csv, tx.csv and my.csv (default: FILE's folder)")
      ->type_name("DIRECTORY");
  command->add_flag("--history", *shared,
                    "All lines share one history; without it each line meets a room with no past");
  command->callback([file, data, shared, &run] {
    run = [file, data, shared]() -> int {
      if (data->empty()) {
        *data = std::filesystem::path(*file).parent_path().string();
      }
      engine::ProcessEngine engine({});
      return RunProbe(engine, *file, *data, *shared ? ProbeHistory::kShared : ProbeHistory::kPerLine);
    };
  });
}

void AddPlainCommands(CLI::App& app, Run& run) {
  app.add_subcommand("errors", "Print the table of error codes (Markdown)")->callback([&run] {
    run = []() -> int {
      std::fputs(kErrorsHead, stdout);
      std::fputs(ErrorCodesMarkdown().c_str(), stdout);
      return kExitOk;
    };
  });
  app.add_subcommand("version", "Print the version")->callback([&run] {
    run = []() -> int {
      std::printf("glovebox %.*s\n", static_cast<int>(kVersion.size()), kVersion.data());
      return kExitOk;
    };
  });
}

}  // namespace

int Main(int argc, const char* const* argv, Program& program) {
  CLI::App app("Glovebox: a data clean room. Organisations compute on each other's data without handing it over.",
               "glovebox");
  app.require_subcommand(1);
  app.set_version_flag("--version", "glovebox " + std::string(kVersion));
  Run run;
  AddServe(app, program, run);
  AddOrganisation(app, program, run);
  AddToken(app, program, run);
  AddAudit(app, run);
  AddProbe(app, run);
  AddPlainCommands(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return run ? run() : kExitUsage;
}

}  // namespace glovebox::cli
