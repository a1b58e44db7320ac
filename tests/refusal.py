"""What a client sees when it is refused: the code, the message, and the exception its model has for it."""
import re

import botocore.exceptions
import pytest


def refused(code, call, says="", status=None, **parameters):
    """Makes the call, which must fail with `code` and a message that `says` matches; answers the whole response."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**parameters)
    response = caught.value.response
    error = response["Error"]
    assert error["Code"] == code, f"{error['Code']}: {error['Message']}"
    assert re.search(says, error["Message"]), error["Message"]
    if status is not None:
        assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    return response


def all_pages(client, operation, key, size=2, **parameters):
    """Every item of a listing, read in pages of `size`, twice: by page size, and resumed by token after each `size`."""
    paginator = client.get_paginator(operation)
    by_size = [item for page in paginator.paginate(PaginationConfig={"PageSize": size}, **parameters)
               for item in page[key]]
    resumed, token = [], None
    while True:
        part = paginator.paginate(
            PaginationConfig={"MaxItems": size, "PageSize": size, "StartingToken": token}, **parameters)
        result = part.build_full_result()
        resumed += result[key]
        token = result.get("NextToken")
        if token is None:
            break
    assert resumed == by_size
    return by_size
