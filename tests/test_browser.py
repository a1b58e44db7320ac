"""A notebook in a real browser: the link opens JupyterLab, and the page is whole."""
import os
import shutil
import subprocess

import pytest

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-quic", "--window-size=1400,900",
         "--hide-scrollbars"]


def browse(tmp_path, url, *flags):
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *flags, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=300).stdout


@pytest.fixture(scope="module")
def link(deployed):
    return deployed.nbvend("vend", "eve").strip().splitlines()[-1]


def test_lab_renders(deployed, link, tmp_path):
    picture = tmp_path / "lab.png"
    page = browse(tmp_path, link, "--dump-dom", "--virtual-time-budget=30000", f"--screenshot={picture}")
    assert "jp-LabShell" in page and "jp-Launcher" in page, page[:2000]
    assert "authToken" not in page
    kept = os.environ.get("NBVEND_PICTURES")
    if kept and picture.exists():
        shutil.copy(picture, kept)


def test_a_link_that_does_not_work_says_so(deployed, link, tmp_path):
    page = browse(tmp_path, link[:-6] + "AAAAAA", "--dump-dom")
    assert "This link does not work" in page
