"""The zoo's Python clients: fetches a URL with the library of the first argument, as itself or with a browser's name."""

import asyncio
import sys

library, name, url = sys.argv[1:4]
headers = {} if name == "own" else {"user-agent": name}


def requests():
    import requests

    return requests.get(url, headers=headers, timeout=10, verify=False).status_code


def httpx():
    import httpx

    with httpx.Client(http2=True, verify=False) as client:
        return client.get(url, headers=headers, timeout=10).status_code


def aiohttp():
    import aiohttp

    async def fetch():
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers, ssl=False) as answer:
            return answer.status

    return asyncio.run(fetch())


def curl_cffi():
    """Shakes hands and names itself as Chromium does."""
    from curl_cffi import requests

    return requests.get(url, impersonate="chrome", verify=False, timeout=10).status_code


def tls_client():
    import tls_client

    session = tls_client.Session(client_identifier="chrome_120", random_tls_extension_order=True)
    return session.get(url, headers=headers, insecure_skip_verify=True).status_code


print({"requests": requests, "httpx": httpx, "aiohttp": aiohttp, "curl_cffi": curl_cffi, "tls_client": tls_client}[library]())
