"""octet-device with the names that its documentation uses: OctetSdk.loc, OctetVerdict.Result."""

from octet import *  # noqa: F403
from octet import OctetResult, OctetSdk, OctetVerdict

OctetSdk.loc = property(OctetSdk.location)
OctetVerdict.Result = OctetResult
