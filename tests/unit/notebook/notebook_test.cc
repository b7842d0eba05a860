// SPDX-License-Identifier: Apache-2.0
#include "notebook/notebook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "base/json.h"
#include "base/limits.h"

namespace glovebox::notebook {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Notebook Parsed(std::string_view text, std::string_view name = "n.sql") {
  auto notebook = ParseNotebookText(text, name);
  EXPECT_TRUE(notebook.ok()) << text << ": " << notebook.status().message();
  return notebook.ok() ? std::move(notebook).value() : Notebook();
}

void ExpectRefused(std::string_view text, std::string_view words) {
  const auto notebook = ParseNotebookText(text, "n.sql");
  ASSERT_FALSE(notebook.ok()) << text;
  EXPECT_EQ(notebook.status().code(), ErrorCode::kInvalidParameterValue) << text;
  EXPECT_THAT(notebook.status().message(), HasSubstr(words)) << text;
}

std::vector<std::string> Sources(const Notebook& notebook) {
  std::vector<std::string> sources;
  for (const Cell& cell : notebook.cells) {
    sources.push_back(cell.source);
  }
  return sources;
}

// A page as Databricks writes it around the model.
std::string Page(std::string_view model_json) {
  const std::string component = PercentEncode(model_json, "!*'()");
  return "<!DOCTYPE html>\n<html><head><script>window.settings = {};</script></head><body>\n<script>\n  var "
         "__DATABRICKS_NOTEBOOK_MODEL = '" +
         Base64Encode(component) + "';</script>\n<script src=\"https://example.org/x.js\"></script></body></html>";
}

constexpr std::string_view kSource =
    "-- Databricks notebook source\n"
    "-- MAGIC %md\n"
    "-- MAGIC # Overlap\n"
    "-- MAGIC\n"
    "-- MAGIC   by region\n"
    "\n"
    "-- COMMAND ----------\n"
    "\n"
    "-- DBTITLE 1,The parameters\n"
    "CREATE WIDGET TEXT min_year DEFAULT '1970' -- type: INT\n"
    "\n"
    "-- COMMAND ----------\n"
    "\n"
    "-- a comment\n"
    "SELECT *\n"
    "FROM t WHERE year >= :min_year\n";

TEST(ParseNotebook, ReadsDatabricksSource) {
  const Notebook notebook = Parsed(kSource);
  EXPECT_EQ(notebook.language, Language::kSql);
  ASSERT_THAT(notebook.cells, SizeIs(3));
  EXPECT_EQ(notebook.cells[0].language, Language::kMarkdown);
  EXPECT_EQ(notebook.cells[0].source, "# Overlap\n\n  by region");
  EXPECT_EQ(notebook.cells[0].sql, "");
  EXPECT_EQ(notebook.cells[1].language, Language::kSql);
  EXPECT_EQ(notebook.cells[1].title, "The parameters");
  EXPECT_EQ(notebook.cells[2].source, "-- a comment\nSELECT *\nFROM t WHERE year >= :min_year");
  EXPECT_EQ(notebook.cells[2].sql, notebook.cells[2].source);
  EXPECT_THAT(notebook.widgets, ElementsAre(Widget{.kind = WidgetKind::kText,
                                                   .name = "min_year",
                                                   .type = "INTEGER",
                                                   .default_value = "1970",
                                                   .choices = {},
                                                   .cell = 2}));
}

TEST(ParseNotebook, ReadsWindowsLineEndsAndByteOrderMarks) {
  std::string windows = "\xEF\xBB\xBF";
  for (const char c : kSource) {
    windows += c == '\n' ? "\r\n" : std::string(1, c);
  }
  EXPECT_EQ(Parsed(windows), Parsed(kSource));
}

TEST(ParseNotebook, ReadsPythonSource) {
  const Notebook notebook = Parsed(
      "# Databricks notebook source\nprint(1)\n\n# COMMAND ----------\n# MAGIC %sql\n# MAGIC SELECT 1\n\n# COMMAND "
      "----------\n# MAGIC %sh ls\n");
  EXPECT_EQ(notebook.language, Language::kPython);
  ASSERT_THAT(notebook.cells, SizeIs(3));
  EXPECT_EQ(notebook.cells[0].language, Language::kPython);
  EXPECT_EQ(notebook.cells[1].language, Language::kSql);
  EXPECT_EQ(notebook.cells[1].sql, "SELECT 1");
  EXPECT_EQ(notebook.cells[2].language, Language::kOther);
  EXPECT_EQ(notebook.cells[2].source, "%sh ls");
}

TEST(ParseNotebook, TakesOtherTextAsOneCell) {
  const Notebook sql = Parsed("\n\nSELECT 1;\n\nSELECT 2\n\n");
  EXPECT_EQ(sql.language, Language::kSql);
  EXPECT_THAT(Sources(sql), ElementsAre("SELECT 1;\n\nSELECT 2"));
  EXPECT_EQ(Parsed("print(1)", "Job.PY").language, Language::kPython);
  EXPECT_EQ(Parsed("println(1)", "a.scala").language, Language::kScala);
  EXPECT_EQ(Parsed("SELECT 1", "overlap").language, Language::kSql);
}

TEST(ParseNotebook, ReadsHtmlExports) {
  const Notebook notebook =
      Parsed(Page(R"({"version":"NotebookV1","origId":12,"name":"o","language":"sql","inputWidgets":{},"commands":[)"
                  R"({"version":"CommandV1","position":2.5,"command":"SELECT '\u00e9 100%'","results":{"data":[[1]]}},)"
                  R"({"version":"CommandV1","position":1.0,"command":"%md\n# Hi","commandTitle":"Intro"},)"
                  R"({"version":"CommandV1","position":3.0,"command":"  \n"},)"
                  R"json({"version":"CommandV1","position":4,"command":"%python print(1)"}]})json"));
  EXPECT_EQ(notebook.language, Language::kSql);
  EXPECT_THAT(Sources(notebook), ElementsAre("# Hi", "SELECT '\xC3\xA9 100%'", "print(1)"));
  EXPECT_EQ(notebook.cells[0].title, "Intro");
  EXPECT_EQ(notebook.cells[0].language, Language::kMarkdown);
  EXPECT_EQ(notebook.cells[2].language, Language::kPython);
}

TEST(ParseNotebook, ReadsHtmlExportsThatAreEncodedOnceMore) {
  const std::string model = R"({"version":"NotebookV1","language":"sql","commands":[{"command":"SELECT 1"}]})";
  const std::string once = Base64Encode(PercentEncode(model, "!*'()"));
  const std::string twice = PercentEncode(once);
  ASSERT_NE(once, twice);
  EXPECT_EQ(Parsed("<html><script>__DATABRICKS_NOTEBOOK_MODEL=\"" + twice + "\"</script></html>"), Parsed(Page(model)));
}

TEST(ParseNotebook, ReadsJupyter) {
  const Notebook notebook = Parsed(
      R"({"nbformat":4,"nbformat_minor":5,"metadata":{"application/vnd.databricks.v1+notebook":{"language":"sql"},)"
      R"("language_info":{"name":"python"}},"cells":[)"
      R"({"cell_type":"markdown","metadata":{},"source":["# Hi\n","there"]},)"
      R"({"cell_type":"code","execution_count":1,"metadata":{},"outputs":[{"data":{}}],"source":"SELECT 1\n"},)"
      R"json({"cell_type":"code","metadata":{},"outputs":[],"source":["%%python\n","print(1)"]},)json"
      R"({"cell_type":"raw","metadata":{},"source":"raw"}]})",
      "overlap.ipynb");
  EXPECT_EQ(notebook.language, Language::kSql);
  EXPECT_THAT(Sources(notebook), ElementsAre("# Hi\nthere", "SELECT 1", "print(1)", "raw"));
  EXPECT_EQ(notebook.cells[1].language, Language::kSql);
  EXPECT_EQ(notebook.cells[2].language, Language::kPython);
  EXPECT_EQ(Parsed(R"({"nbformat":4,"cells":[{"cell_type":"code","source":"x"}]})").language, Language::kPython);
  EXPECT_EQ(
      Parsed(
          R"({"nbformat":4,"metadata":{"kernelspec":{"language":"SQL"}},"cells":[{"cell_type":"code","source":"x"}]})")
          .language,
      Language::kSql);
}

TEST(ParseNotebook, ReadsBase64) {
  const std::string encoded = Base64Encode(kSource);
  const auto notebook = ParseNotebookContent(encoded.substr(0, 76) + "\r\n" + encoded.substr(76) + "\n", "n");
  ASSERT_TRUE(notebook.ok()) << notebook.status().message();
  EXPECT_EQ(*notebook, Parsed(kSource));
  const auto wrong = ParseNotebookContent("SELECT 1", "n");
  ASSERT_FALSE(wrong.ok());
  EXPECT_THAT(wrong.status().message(), HasSubstr("base64"));
}

TEST(ParseNotebook, RefusesWhatIsNoNotebook) {
  ExpectRefused("", "no cells");
  ExpectRefused(" \n ", "no cells");
  ExpectRefused("-- Databricks notebook source\n\n-- COMMAND ----------\n", "no cells");
  ExpectRefused("SELECT '\xFF'", "UTF-8");
  ExpectRefused(std::string_view("SELECT 1\0", 9), "NUL");
  ExpectRefused("<html><body>no</body></html>", "no notebook in it");
  ExpectRefused("<html>__DATABRICKS_NOTEBOOK_MODEL</html>", "no notebook in it");
  ExpectRefused("<html>__DATABRICKS_NOTEBOOK_MODEL = '</html>", "no notebook in it");
  ExpectRefused("<html>__DATABRICKS_NOTEBOOK_MODEL = '%zz'</html>", "cannot be read");
  ExpectRefused("<html>__DATABRICKS_NOTEBOOK_MODEL = 'abc'</html>", "cannot be read");
  ExpectRefused(Page("[1"), "cannot be read");
  ExpectRefused(Page(R"({"version":"NotebookV2","language":"sql","commands":[]})"), "NotebookV1");
  ExpectRefused(Page(R"({"version":"NotebookV1","language":"md","commands":[]})"), "NotebookV1");
  ExpectRefused(Page(R"({"version":"NotebookV1","language":"sql"})"), "NotebookV1");
  ExpectRefused(Page(R"({"version":"NotebookV1","language":"sql","commands":[{"position":1}]})"), "cell 1 has no text");
  ExpectRefused(Page(R"({"version":"NotebookV1","language":"sql","commands":[{"command":"SELECT '\u0000'"}]})"), "NUL");
  ExpectRefused(R"({"nbformat":3,"worksheets":[]})", "format 4");
  ExpectRefused(R"({"nbformat":4,"cells":[{"cell_type":"code"}]})", "cell 1 has no text");
  ExpectRefused(R"({"nbformat":4,"cells":[{"cell_type":"heading","source":""}]})", "cell 1");
  ExpectRefused(R"({"nbformat":4,"cells":[{"cell_type":"code","source":[1]}]})", "cell 1");
  ExpectRefused(R"({"nbformat":4,"metadata":{"language_info":{"name":"julia"}},"cells":[]})", "not in SQL");
  ExpectRefused(R"({"nbformat":4,"nbformat":4})", "cannot be read");
}

// What a reviewer sees in one format must be the same cells in another.
TEST(ParseNotebook, RefusesCellsThatReadDifferentlyInTheSourceFormat) {
  const auto page = [](std::string_view command) {
    return Page(R"({"version":"NotebookV1","language":"sql","commands":[{"command":)" + json::Write(command) + "}]}");
  };
  ExpectRefused(page("SELECT 1\n-- COMMAND ----------\nSELECT 2"), "separates");
  ExpectRefused(page("SELECT 1\n-- MAGIC %python"), "separates");
  ExpectRefused(page("%sql\n%python\nprint(1)"), "two magic words");
  ExpectRefused(page("-- DBTITLE 1,A\n-- DBTITLE 1,B\nSELECT 1"), "two titles");
  ExpectRefused("-- Databricks notebook source\nSELECT 1\n-- MAGIC %python x", "separates");
}

TEST(ParseNotebook, IsBounded) {
  std::string source = "-- Databricks notebook source\n";
  for (std::size_t i = 0; i < limits::kNotebookCellsMax; ++i) {
    source += "SELECT 1\n-- COMMAND ----------\n";
  }
  EXPECT_THAT(Parsed(source).cells, SizeIs(limits::kNotebookCellsMax));
  ExpectRefused(source + "SELECT 2", "at most 200 cells");

  const std::string large = "SELECT 1" + std::string(limits::kNotebookBytesMax - 8, ' ');
  EXPECT_TRUE(ParseNotebookContent(Base64Encode(large), "n").ok());
  for (const auto& notebook :
       {ParseNotebookText(large + " ", "n"), ParseNotebookContent(Base64Encode(large + "   "), "n"),
        ParseNotebookContent(std::string(limits::kNotebookBytesMax * 2, 'A'), "n")}) {
    ASSERT_FALSE(notebook.ok());
    EXPECT_EQ(notebook.status().code(), ErrorCode::kPayloadTooLarge);
  }
  std::string deep = R"({"nbformat":4,"cells":)";
  deep +=
      std::string(limits::kNotebookJsonDepthMax + 1, '[') + std::string(limits::kNotebookJsonDepthMax + 1, ']') + "}";
  ExpectRefused(deep, "cannot be read");
  ExpectRefused("-- DBTITLE 1," + std::string(limits::kNotebookTitleBytesMax + 1, 'x') + "\nSELECT 1", "short line");
}

TEST(Widgets, AreReadAndBlankedOut) {
  const std::string text =
      "-- parameters\n"
      "create widget text `a` default 'it''s'; -- type: decimal(10, 2)\n"
      "CREATE WIDGET DROPDOWN b /* c */ DEFAULT \"N\" CHOICES SELECT * FROM (VALUES (\"N\"), ('S'));\n"
      "CREATE WIDGET MULTISELECT c DEFAULT 'x' CHOICES SELECT * FROM (VALUES ('x'));\n"
      "CREATE WIDGET COMBOBOX d DEFAULT 'z' CHOICES SELECT * FROM (VALUES ('x')); -- a comment\n"
      "CREATE WIDGET TEXT e DEFAULT '' -- type: DATE\n"
      ";\n"
      "SELECT ';', :a";
  const Notebook notebook = Parsed(text);
  EXPECT_THAT(notebook.widgets, ElementsAre(Widget{WidgetKind::kText, "a", "DECIMAL(10,2)", "it's", {}, 1},
                                            Widget{WidgetKind::kDropdown, "b", "VARCHAR", "N", {"N", "S"}, 1},
                                            Widget{WidgetKind::kMultiselect, "c", "VARCHAR", "x", {"x"}, 1},
                                            Widget{WidgetKind::kCombobox, "d", "VARCHAR", "z", {"x"}, 1},
                                            Widget{WidgetKind::kText, "e", "DATE", "", {}, 1}));
  ASSERT_THAT(notebook.cells, SizeIs(1));
  const Cell& cell = notebook.cells[0];
  EXPECT_EQ(cell.source, text);
  ASSERT_EQ(cell.sql.size(), text.size());
  EXPECT_THAT(cell.sql, Not(HasSubstr("WIDGET")));
  EXPECT_EQ(cell.sql.substr(0, 14), "-- parameters\n");
  const std::size_t query = text.find("SELECT ';'");
  EXPECT_EQ(cell.sql.substr(query), text.substr(query));
  for (std::size_t i = 0; i < text.size(); ++i) {
    ASSERT_TRUE(cell.sql[i] == text[i] || (cell.sql[i] == ' ' && text[i] != '\n')) << i;
  }
}

TEST(Widgets, KnowTheirTypes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"STRING", "VARCHAR"}, {"int", "INTEGER"},     {"BIGINT", "BIGINT"},       {"Double", "DOUBLE"},
      {"DATE", "DATE"},      {"BOOLEAN", "BOOLEAN"}, {"TIMESTAMP", "TIMESTAMP"}, {"DECIMAL(38,0)", "DECIMAL(38,0)"}};
  for (const auto& [word, type] : cases) {
    const Notebook notebook = Parsed("CREATE WIDGET TEXT a DEFAULT '' --type:" + word);
    ASSERT_THAT(notebook.widgets, SizeIs(1)) << word;
    EXPECT_EQ(notebook.widgets[0].type, type);
  }
}

TEST(Widgets, AreOnlyReadAtTheStartOfACell) {
  const std::string later = "SELECT 1; CREATE WIDGET TEXT a DEFAULT 'x'";
  const std::string quoted = "SELECT $$\nCREATE WIDGET TEXT a DEFAULT 'x';$$";
  const std::string open = "/* CREATE WIDGET TEXT a DEFAULT 'x'";
  for (const std::string& text : {later, quoted, open}) {
    const Notebook notebook = Parsed(text);
    EXPECT_THAT(notebook.widgets, IsEmpty()) << text;
    EXPECT_EQ(notebook.cells[0].sql, text);
  }
}

TEST(Widgets, AreRefusedWithTheirCell) {
  const auto refuse = [](std::string_view statement, std::string_view words) {
    ExpectRefused("-- Databricks notebook source\nSELECT 1\n-- COMMAND ----------\n" + std::string(statement),
                  "cell 2");
    ExpectRefused(statement, words);
  };
  refuse("CREATE WIDGET SLIDER a DEFAULT '1'", "TEXT, DROPDOWN");
  refuse("CREATE WIDGET TEXT 1a DEFAULT '1'", "letters, digits");
  refuse("CREATE WIDGET TEXT `a b` DEFAULT '1'", "letters, digits");
  refuse("CREATE WIDGET TEXT a", "DEFAULT");
  refuse("CREATE WIDGET TEXT a DEFAULT 1", "a string");
  refuse("CREATE WIDGET TEXT a DEFAULT 'x", "no end");
  refuse("CREATE WIDGET TEXT a DEFAULT 'x\\''", "backslash");
  refuse("CREATE WIDGET TEXT a DEFAULT 'x' SELECT 1", "semicolon");
  refuse("CREATE WIDGET TEXT a DEFAULT 'x' -- type: MAP\n", "DECIMAL(p,s)");
  refuse("CREATE WIDGET TEXT a DEFAULT 'x' -- type: DECIMAL(39,2)\n", "DECIMAL(p,s)");
  refuse("CREATE WIDGET TEXT cr_output_schema DEFAULT 'x'", "room's own");
  refuse("CREATE WIDGET TEXT a DEFAULT 'x'; CREATE WIDGET TEXT A DEFAULT 'y'", "second time");
  refuse("CREATE WIDGET DROPDOWN a DEFAULT 'x'", "choices");
  refuse("CREATE WIDGET DROPDOWN a DEFAULT 'x' CHOICES SELECT DISTINCT b FROM t", "choices");
  refuse("CREATE WIDGET DROPDOWN a DEFAULT 'x' CHOICES SELECT * FROM (VALUES ('y'))", "none of its choices");
  refuse("CREATE WIDGET MULTISELECT a DEFAULT '1' CHOICES SELECT * FROM (VALUES ('1')) -- type: INT", "STRING");
}

TEST(CheckRunnable, WantsSql) {
  EXPECT_TRUE(CheckRunnable(Parsed(kSource)).ok());
  const auto refused = [](std::string_view text, std::string_view name, std::string_view words) {
    const Status status = CheckRunnable(Parsed(text, name));
    EXPECT_EQ(status.code(), ErrorCode::kNotSupported) << text;
    EXPECT_THAT(status.message(), HasSubstr(words)) << text;
  };
  refused("print(1)", "a.py", "cell 1 is Python");
  refused("-- Databricks notebook source\nSELECT 1\n-- COMMAND ----------\n-- MAGIC %sh ls", "a",
          "cell 2 is a command");
  refused("CREATE WIDGET TEXT a DEFAULT 'x'", "a", "no SQL to run");
  refused("%md only words", "a", "no SQL to run");
}

TEST(RoundTrip, EveryFormatGivesTheNotebookBack) {
  const std::vector<std::string> texts = {
      std::string(kSource),
      "SELECT 1",
      "# Databricks notebook source\nprint(1)\n\nx = 2\n# COMMAND ----------\n# MAGIC %sql\n# MAGIC SELECT 1\n",
      Page(
          R"({"version":"NotebookV1","language":"sql","commands":[{"command":"%md <b>&\"'</b>\n\n  x","commandTitle":"A <T>"},)"
          R"json({"command":"%sh\nls\n\n-la"},{"command":"  SELECT 'é </script>', 1%2"},{"command":"%python\nprint('--')"}]})json"),
  };
  for (const std::string& text : texts) {
    const Notebook notebook = Parsed(text);
    EXPECT_EQ(Parsed(ToSource(notebook)), notebook) << ToSource(notebook);
    EXPECT_EQ(Parsed(ToHtmlExport(notebook, "n")), notebook);
  }
}

TEST(ToSource, WritesDatabricksForm) {
  EXPECT_EQ(ToSource(Parsed(kSource)), R"(-- Databricks notebook source
-- MAGIC %md
-- MAGIC # Overlap
-- MAGIC
-- MAGIC   by region

-- COMMAND ----------

-- DBTITLE 1,The parameters
CREATE WIDGET TEXT min_year DEFAULT '1970' -- type: INT

-- COMMAND ----------

-- a comment
SELECT *
FROM t WHERE year >= :min_year
)");
}

TEST(ToHtmlExport, NothingOfTheNotebookBecomesMarkup) {
  const std::string page = ToHtmlExport(Parsed("SELECT '<script>alert(1)</script>'"), "<n> & \"m\"");
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(page, HasSubstr("<title>&lt;n&gt; &amp; &quot;m&quot;</title>"));
}

}  // namespace
}  // namespace glovebox::notebook
