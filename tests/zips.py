"""Packages of functions, as they are uploaded."""
import io
import zipfile


def package(files):
    """A zip of files by name."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return body.getvalue()
