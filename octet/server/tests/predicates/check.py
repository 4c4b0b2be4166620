"""Which tokens PyJWT accepts, as docs/audit-a-proof.md has it: reads cases, prints a list of true and false."""
import base64
import hashlib
import json
import sys

import jwt

cases = json.load(sys.stdin)


def octets(token, typ):
    """What a published key signed."""
    header = jwt.get_unverified_header(token)
    assert header["typ"] == typ and "crit" not in header
    key = next(key for key in cases["keys"]["keys"] if key["kid"] == header["kid"])
    said = jwt.decode(token, jwt.PyJWK(key), algorithms=["EdDSA"], audience="shop")
    assert key["nbf"] - 60 <= said["iat"] < key["exp"]
    return said


def devices(token):
    """What a device signed, by the binding that vouches for its key."""
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "octet-proof+jwt" and "crit" not in header
    unread = jwt.decode(token, options={"verify_signature": False})
    binding = octets(unread["attestation"][0], "octet-device+jwt")
    key = binding["cnf"]["jwk"]
    said = jwt.decode(token, jwt.PyJWK(key, algorithm="ES256"), algorithms=["ES256"], audience="shop")
    assert all(said[claim] == binding[claim] for claim in ("iss", "aud", "sid"))
    assert binding["iat"] - 60 <= said["iat"] < binding["signsUntil"]
    canonical = json.dumps({name: key[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")
    assert said["holder"] == {"jkt": thumbprint, "hardware": binding["hardware"]}
    return said


def accepts(token):
    try:
        if any(key["kid"] == jwt.get_unverified_header(token)["kid"] for key in cases["keys"]["keys"]):
            octets(token, "octet-proof+jwt")
        else:
            devices(token)
        return True
    except Exception:
        return False


print(json.dumps([accepts(token) for token in cases["tokens"]]))
