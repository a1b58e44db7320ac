"""The solution's templates, judged by AWS's linter for CloudFormation and SAM."""
import subprocess

from engine import ROOT

TEMPLATES = sorted([*(ROOT / "templates").glob("*.yml"), ROOT / "lambda/template.yaml"])


def test_the_linter_finds_nothing(tmp_path):
    assert len(TEMPLATES) >= 5
    # The control, in the same run because the linter takes seconds to begin: one member misspelt.
    text = (ROOT / "templates/people.yml").read_text()
    wrong = tmp_path / "people.yml"
    wrong.write_text(text.replace("GroupName: nbvend-users", "GroupNam: nbvend-users"))
    done = subprocess.run(["cfn-lint", "--format", "parseable", "--", *map(str, [*TEMPLATES, wrong])],
                          capture_output=True, text=True)
    found = done.stdout.splitlines()
    assert [line for line in found if not line.startswith(f"{wrong}:")] == []
    assert any(":E3002:" in line and "GroupNam" in line for line in found), done.stdout
    assert done.stderr == ""
