# SPDX-License-Identifier: Apache-2.0
"""`./glovebox demo [--keep DIR]`: a collaboration from its start to the verified evidence, told as a story.

It starts a server of its own on a free port, and then uses nothing but the public REST API: the real databricks-sdk
where Databricks has the call, plain HTTP elsewhere. Exit code 0 if everything went as told, 1 if not.
"""

import argparse
import pathlib
import re
import sys
import tempfile
import textwrap
import time

import certificate
import collaboration as steps
import evidence
import records
import server as program
from databricks.sdk.errors import DatabricksError
from native import Refused
from story import WITHHELD, Story


MINIMUM = 50  # people, in both parties' rules
PARAMETERS = {"born_from": "1950-01-01"}  # of the main run
WIDTH_OF_CODE = 96


class Untrue(Exception):
    """Something did not happen as the story has it."""


def check(condition, what):
    if not condition:
        raise Untrue(what)


def must_fail(call, errors=(DatabricksError, Refused)):
    """The error's text; that there is none would be a hole."""
    try:
        call()
    except errors as error:
        return str(error)
    raise Untrue("something was allowed that must be refused")


def read_arguments():
    parser = argparse.ArgumentParser(prog="glovebox demo", description="A collaboration from its start to the verified evidence, told as a story.")
    parser.add_argument("--keep", metavar="DIR", type=pathlib.Path,
                        help="keep the server's data, the exported result and the evidence in this new folder")
    arguments = parser.parse_args()
    if arguments.keep is not None and arguments.keep.exists() and any(arguments.keep.iterdir()):
        parser.error(f"{arguments.keep} is not empty")
    return arguments


class Demo:
    def __init__(self, story, collaboration, folder):
        self.story = story
        self.c = collaboration
        self.folder = folder

    def at_home(self):
        story, files = self.story, self.c.files
        story.section("Each at home: a metastore, a place for files, a table, people and their rights")
        self.c.set_up()
        story.says("federation", f"uploads athletes.csv to its volume and loads it: {files.athlete_count:,} athletes of the 2016 Games.")
        athletes = steps.execute(self.c.fred.sdk, "SELECT * FROM federation_data.rio.athletes ORDER BY date_of_birth LIMIT 3")
        story.table(records.ATHLETE_COLUMNS, athletes, numbers=("gold", "silver", "bronze"))
        story.says("insurer", f"does the same with an export of its customers, {files.customer_count:,} of them; some are athletes.")
        customers = steps.execute(self.c.ann.sdk, "SELECT * FROM insurance.members.customers ORDER BY customer_no LIMIT 3")
        story.table(records.CUSTOMER_COLUMNS, [[f"[{value}]" if i == 1 else value for i, value in enumerate(row)] for row in customers],
                    numbers=("height", "weight"))
        seen = [each.name for each in self.c.ann.sdk.catalogs.list()]
        check("federation_data" not in seen, "the insurer must not see the federation's catalog")
        story.says("insurer", f"sees of the federation: nothing. Its catalogs are {', '.join(sorted(seen))}.")

    def at_the_source(self):
        story = self.story
        story.section("Governance at the source: it holds wherever the table is read, and both sides do it alone")
        self.c.govern()
        story.says("insurer", "only customers who consented take part:")
        story.code(steps.CONSENT_FUNCTION)
        story.code(steps.CONSENT_FILTER)
        story.says("both", "names become join tokens, with a secret that only the two of them have:")
        story.code(steps.TOKEN_FUNCTION.format(schema="insurance.members"))
        story.code(steps.TOKEN_MASK.format(schema="insurance.members", table="insurance.members.customers"))
        tokens = steps.execute(self.c.ann.sdk, "SELECT name FROM insurance.members.customers ORDER BY customer_no LIMIT 1")
        check(re.fullmatch("[0-9a-f]{64}", tokens[0][0]), "a name must be read as a token now")
        story.says("insurer", f"reads its own table: where names were, there is {tokens[0][0][:16]}... now, for the insurer as well.")

    def room(self):
        story = self.story
        story.section("A clean room for two")
        created = self.c.create_room()
        story.says("federation", f"creates the room {steps.ROOM} and invites the insurer: {created.status.value}.")
        self.c.publish_athletes()
        story.says("federation", f"publishes its table as {steps.ATHLETES}. Still {self.c.room_status(self.c.fred)}.")
        invited = [each.name for each in self.c.ann.sdk.clean_rooms.list()]
        check(steps.ROOM in invited, "the insurer must see the room that it is invited to")
        self.c.publish_customers()
        status = self.c.room_status(self.c.fred)
        check(status == "ACTIVE", "the room must be active when both are in")
        story.says("insurer", f"finds the invitation, publishes {steps.CUSTOMERS}, and by that has joined. The room is {status}.")
        story.says("insurer", f"notes the room's identity, to hold the evidence against later: {self.c.pin}")

    def rules(self):
        story = self.story
        story.section("Analysis rules: what an owner allows. What a rule does not name does not exist")
        self.c.set_rules()
        rule = self.c.nina.native.rule(steps.CUSTOMERS)["rule"]
        story.says("insurer", f"a unit is a person; at least {rule['min_units']} of them in everything that is released; "
                              "who is a customer is itself protected. Column by column:")
        rows = []
        for name, column in rule["columns"].items():
            details = [f"with {other}" for other in column.get("join_with", [])] + column.get("domain", [])
            details += [f"by {step}" for step in column.get("dimension_steps", [])] + column.get("aggregates", [])
            rows.append((name, ", ".join(column["uses"]), ", ".join(details)))
        story.table(("column", "may be used for", "and only"), rows)
        asset = self.c.nina.sdk.clean_room_assets.get(steps.ROOM, steps.TABLE, steps.CUSTOMERS)
        columns = [column.name for column in asset.table.columns]
        check("consent" not in columns and "customer_no" not in columns, "a column that no rule names must not be seen")
        story.says("federation", f"sees of that table its alias, {asset.name}, and its columns: {', '.join(columns)}.")

    def notebook(self):
        story = self.story
        story.section("One notebook, written by one side, reviewed by the other")
        self.c.submit_notebook(steps.NOTEBOOK)
        story.says("federation", f"uploads the notebook {steps.NOTEBOOK}. It asks for no minimum group and knows of none:")
        etag, text = self.c.read_notebook(steps.NOTEBOOK)
        story.code(text)
        refusal = must_fail(lambda: self.c.start(steps.NOTEBOOK))
        story.says("federation", f"tries to run it at once. Refused: {refusal}")
        plan = self.c.petra.native.plan(steps.NOTEBOOK)
        outputs = "; ".join(f"{output['name']} ({', '.join(column['name'] for column in output['columns'])})" for output in plan["outputs"])
        story.says("insurer", f"reads the same text (version {etag[:12]}…) and asks what it would release, before any data is read: {outputs}. "
                              f"Plan {plan['certificate']['plan'][:12]}…")
        review = self.c.approve(steps.NOTEBOOK)
        story.says("insurer", f"is fine with it: {review.notebook_review_state.value}.")

    def run(self):
        story = self.story
        story.section("The run")
        self.main_run = self.c.run(steps.NOTEBOOK, PARAMETERS)
        result = self.main_run.state.result_state.value
        check(result == "SUCCESS", f"the run ended as {result}: {self.main_run.state.state_message}")
        place = self.c.output_place(self.main_run)
        expiry = time.strftime("%Y-%m-%d", time.gmtime(place.expiration_time / 1000))
        story.says("federation", f"runs the approved version: {result}. The output is in {place.catalog_name}.{place.schema_name}, until {expiry}.")
        plan = self.c.petra.native.certificate(self.main_run.run_id)
        again = self.c.petra.native.plan(steps.NOTEBOOK, PARAMETERS)["certificate"]
        check(again == plan, "the insurer's own plan must be the certificate of the run")
        story.says("both", "get the plan certificate. The insurer plans the same text once more, by schemas and rules alone: the same, byte for "
                           f"byte (plan {plan['plan'][:12]}…). In words:")
        for name, text in certificate.in_words(plan):
            story.line()
            for line in textwrap.wrap(f"{name}: {text}", WIDTH_OF_CODE):
                story.line("    " + line)

    def release(self):
        story = self.story
        story.section("What came out")
        self.outputs = self.c.outputs(self.main_run)
        for name, output in self.outputs.items():
            check(output["state"] == "RELEASED", f"{name} must conform to the contract")
        story.tell("Columns, types and minimum group are what the insurer approved with the notebook, so output review released both "
                   "tables by itself. Anything else would have waited for a person.")
        story.line()
        by_sport = self._show_table(self.main_run, "by_sport")
        story.line()
        self._show_table(self.main_run, "by_decade")
        story.line()
        self._explain(by_sport)
        export, content = self.c.export(self.outputs["by_sport"])
        path = self.folder / "by_sport.parquet"
        path.write_bytes(content)
        story.says("Nina", f"who ran it, exports by_sport as Parquet: {len(content):,} bytes, SHA-256 {export['sha256'][:16]}…")
        story.says("Ole", f"of the federation too, tries the same. {must_fail(lambda: self.c.ole.native.export(self.outputs['by_sport']['output_id']))}")
        story.says("insurer", f"also. {must_fail(lambda: self.c.ann.native.export(self.outputs['by_sport']['output_id']))}")

    def _show_table(self, run, name):
        columns, rows = self.c.table(run, name)
        self.story.line(f"  {name}")
        self.story.table(columns, [[rounded(column, value) for column, value in zip(columns, row, strict=True)] for row in rows],
                         numbers=("people", "height", "weight", "born"))
        return rows

    def _explain(self, by_sport):
        story = self.story
        truth = records.truth(self.c.files)
        released = {(row[0], row[1]) for row in by_sport}
        check(all(truth[group].matched >= MINIMUM for group in released), "a small group was released")
        small = [group for group, people in truth.items() if people.matched < MINIMUM]
        story.tell(f"{len(by_sport)} rows. A group that is not there has fewer than {MINIMUM} matched people, or is of a sport with fewer than "
                   f"{MINIMUM} unmatched ones, or has nobody; {WITHHELD} is an average over fewer than {MINIMUM}. All that looks the same, and "
                   "nothing says how often it happened: that is all one learns.")
        examples = certificate.joined(f"{sport}, {sex} ({truth[sport, sex].matched} people)" for sport, sex in small[:2])
        story.tell(f"(The narrator has both files and may tell: {len(small)} groups were too small, {examples} among them, and the weight of a "
                   "boxer is in no file.)")
        story.line()

    def proof(self):
        story = self.story
        story.section("The ledger, and the evidence that each side can take home")
        entries = self.c.ann.native.entries()
        story.table(("#", "time", "who", "what", "outcome"), [
            (entry["seq"], entry["time"][11:19], entry["actor"]["party"], entry["type"],
             entry["outcome"] + (f" ({entry['reason']})" if "reason" in entry else "")) for entry in entries], numbers=("#",))
        bundle = self.c.evidence(self.folder)
        report = evidence.verify(bundle, self.c.pin, len(entries))
        check(report.exit_code == 0, "the evidence must verify:\n" + report.text)
        story.line()
        story.says("insurer", f"exports the evidence, {bundle.stat().st_size:,} bytes, and verifies it offline, with no server:")
        story.code(f"glovebox audit verify evidence.tar --pin {self.c.pin[:30]}… --min-size {len(entries)}\n\n"
                   + "\n".join(line for line in report.text.splitlines() if not line.startswith("  ")))
        report = evidence.replan(bundle, self.c.pin, len(entries))
        check(report.exit_code == 0, "the run's plan must come out of the evidence again:\n" + report.text)
        story.line()
        story.says("insurer", "computes the plan of the run again, from the code and the rules in the evidence:")
        story.code("glovebox audit replan evidence.tar …\n\n" + report.text.rstrip())
        approval = next(entry["seq"] for entry in entries if entry["type"] == "approval.granted")
        with tempfile.TemporaryDirectory() as work:
            forged = evidence.flip_a_byte(bundle, approval, pathlib.Path(work))
            report = evidence.verify(forged, self.c.pin, len(entries))
        check(report.exit_code == 1, "a changed bundle must not verify")
        named = evidence.lines_about(report.text, approval)
        check(named, f"verification must name entry {approval}:\n{report.text}")
        story.line()
        story.says("somebody", f"changes one byte of entry {approval}, the approval, in a copy. Verification now says:")
        story.code("INVALID\n" + "\n".join(textwrap.shorten(line, WIDTH_OF_CODE) for line in named))

    def attacks(self):
        story = self.story
        story.section("Three attacks; each notebook was even approved by mistake")
        for name, what in (("rows", "asks for people instead of groups"),
                           ("weighted_sum", "weighs the insurer's people with a column of its own, by which sums can be taken apart")):
            story.says("federation", f"{what}:")
            story.code("\n".join(query_of(name)))
            run = self.c.approved_run(name)
            check(run.state.result_state.value == "FAILED", f"the attack {name} was not refused")
            rule = self.c.refusal_rule(run)
            check(rule, "the ledger must name the rule that refused")
            story.says("refused", run.state.state_message)
            story.line()
        story.says("federation", "asks the first question again, now without those born in 1995 and later. Where only a handful are so "
                                 "young, the difference of the two answers would be about that handful:")
        story.code("\n".join(query_of("without_the_youngest")))
        run = self.c.approved_run("without_the_youngest")
        check(run.state.result_state.value == "SUCCESS", run.state.state_message)
        rows = self._show_table(run, "without_the_youngest")
        before = {(row[0], row[1]): row for row in self.c.table(self.main_run, "by_sport")[1]}
        for row in rows:
            difference = int(before[row[0], row[1]][2]) - int(row[2]) if (row[0], row[1]) in before else None
            check(difference is None or difference >= MINIMUM, "two answers differ by a handful of people")
        story.line()
        story.says("answered", f"{len(rows)} groups differ from the first answer by {MINIMUM} people or more. The others of the {len(before)} are "
                               "withheld, and look like small groups: also those that did not change at all, for that would tell as well.")


def rounded(column, value):
    if value is None or column not in ("height", "weight"):
        return value
    return f"{float(value):.2f}" if column == "height" else f"{float(value):.1f}"


def describe(group, truth):
    return f"{group[0]}, {group[1]} ({truth[group].matched} matched, {truth[group].unmatched} not)"


def query_of(name):
    """The notebook's query, without its frame."""
    return [line for line in steps.load_notebook(name).splitlines() if not line.startswith(("--", "CREATE"))]


def keep_tokens(collaboration, folder):
    path = folder / "tokens.txt"
    path.touch(mode=0o600)
    path.write_text("".join(f"{party.sdk.current_user.me().user_name} {party.sdk.config.token}\n" for party in (
        collaboration.fred, collaboration.nina, collaboration.ole, collaboration.ann, collaboration.petra)))


def tell(story, keep, folder, started):
    story.title("GLOVEBOX", "A sports federation and a health insurer ask one question together. No row of either crosses.")
    data = folder / "data"
    federation = program.create_organisation(data, "Sports Federation", steps.FEDERATION_ADMIN)
    insurer = program.create_organisation(data, "Health Insurer", steps.INSURER_ADMIN)
    server = program.Server(data)
    try:
        story.line(f"(a server of its own on {server.url}, ready in {server.ready_milliseconds} ms)")
        demo = Demo(story, steps.Collaboration(server, federation, insurer, program.SAMPLES), folder)
        for chapter in (demo.at_home, demo.at_the_source, demo.room, demo.rules, demo.notebook, demo.run, demo.release, demo.proof,
                        demo.attacks):
            chapter()
        if keep is not None:
            keep_tokens(demo.c, keep)
    finally:
        server.stop()
    story.line()
    story.tell(f"Done in {time.monotonic() - started:.1f} s. What the ledger proves is order, authorship and completeness; that the engine "
               "computed correctly it does not prove. README.md has the promises and their limits.")
    if keep is not None:
        story.line(f"Kept in {keep}: by_sport.parquet, evidence.tar, everybody's tokens (tokens.txt), and the server's data: ./glovebox serve "
                   f"--data {keep}/data")


def main():
    started = time.monotonic()
    arguments = read_arguments()
    program.forget_credentials_of_the_machine()
    story = Story()
    with tempfile.TemporaryDirectory(prefix="glovebox-demo-") as temporary:
        folder = arguments.keep if arguments.keep is not None else pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            tell(story, arguments.keep, folder, started)
        except (Untrue, DatabricksError, Refused, steps.StatementFailed, program.ProgramFailed, TimeoutError) as error:
            print(f"\nglovebox demo: this should have gone otherwise: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
