"""Which tokens PyJWT accepts, as docs/audit-a-proof.md has it: reads cases, prints a list of true and false."""
import json
import sys

import jwt

cases = json.load(sys.stdin)


def accepts(token):
    try:
        header = jwt.get_unverified_header(token)
        assert header["typ"] == "octet-proof+jwt" and "crit" not in header
        key = next(key for key in cases["keys"]["keys"] if key["kid"] == header["kid"])
        proof = jwt.decode(token, jwt.PyJWK(key), algorithms=["EdDSA"], audience="shop")
        return key["nbf"] - 60 <= proof["iat"] < key["exp"]
    except Exception:
        return False


print(json.dumps([accepts(token) for token in cases["tokens"]]))
