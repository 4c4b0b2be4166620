// The documentation's example, as an app writes it.

package example

import uniffi.octet.*

suspend fun mayOrder(license: String): Boolean {
    val sdk = OctetSdk.start(OctetConfig(license, "https://octet.example"))
    val verdict = sdk.loc.isWithin(OctetRegion.Country("US"))
    return verdict.result == OctetVerdict.Result.YES && verdict.confidence.overallScore > 0.8
}
