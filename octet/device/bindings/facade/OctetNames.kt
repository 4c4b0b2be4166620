// octet-device with the names that its documentation uses: OctetSdk.loc. What other languages call
// OctetVerdict.Result.YES is OctetResult.YES here: Kotlin has no type alias within a type.

package uniffi.octet

val OctetSdk.loc: OctetLoc get() = location()
