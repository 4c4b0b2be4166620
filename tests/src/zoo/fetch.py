"""The zoo's Python clients: fetches a URL with the library of the first argument, as itself or with a browser's name."""

import sys

library, name, url = sys.argv[1:4]
headers = {} if name == "own" else {"user-agent": name}
if library == "requests":
    import requests

    print(requests.get(url, headers=headers, timeout=10, verify=False).status_code)
else:
    import httpx

    with httpx.Client(http2=True, verify=False) as client:
        print(client.get(url, headers=headers, timeout=10).status_code)
