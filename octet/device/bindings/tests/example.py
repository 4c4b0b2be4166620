"""The documentation's example, end to end against a real service."""

import asyncio
import base64
import json
import os

from octet_sdk import OctetConfig, OctetFix, OctetPlace, OctetReason, OctetRegion, OctetSdk, OctetVerdict


async def main():
    config = OctetConfig(license=os.environ["OCTET_LICENSE"], octet_url=os.environ["OCTET_URL"])
    sdk = await OctetSdk.start(config)

    verdict = await sdk.loc.is_within(OctetRegion.COUNTRY(code="US"))
    assert verdict.result == OctetVerdict.Result.INDETERMINATE and verdict.reason == OctetReason.NO_FIX
    assert verdict.proof is None and verdict.confidence.overall_score == 0.0

    sdk.push_fix(OctetFix(place=OctetPlace(lat=39.1, lon=-94.6), accuracy_meters=12.0))
    verdict = await sdk.loc.is_within(OctetRegion.COUNTRY(code="US"))
    assert verdict.result == OctetVerdict.Result.YES and verdict.confidence.overall_score > 0.8, verdict
    claims = json.loads(base64.urlsafe_b64decode(verdict.proof.split(".")[1] + "=="))
    assert claims["aud"] == "shop" and claims["claim"]["region"] == {"type": "country", "code": "US"}
    assert "39.1" not in json.dumps(claims), "a proof discloses the country and nothing finer"

    verdict = await sdk.loc.is_outside(OctetRegion.EU())
    assert verdict.result == OctetVerdict.Result.YES
    verdict = await sdk.loc.contains(OctetPlace(lat=39.1, lon=-94.6), tolerance_meters=500.0)
    assert verdict.result == OctetVerdict.Result.YES
    verdict = await sdk.loc.is_within(OctetRegion.COUNTRY(code="nowhere"))
    assert verdict.reason == OctetReason.NO_PROOF_AT_RESOLUTION

    sdk.stop()
    verdict = await sdk.loc.is_within(OctetRegion.COUNTRY(code="US"))
    assert verdict.reason == OctetReason.SDK_NOT_RUNNING
    print("ok")


asyncio.run(main())
