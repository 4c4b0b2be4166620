// octet-device with the names that its documentation uses: OctetSdk.loc, OctetVerdict.Result.YES.

package uniffi.octet

val OctetSdk.loc: OctetLoc get() = location()

/** The values of [OctetResult], under the name that they have in other languages. */
object OctetResultNames {
    val YES = OctetResult.YES
    val NO = OctetResult.NO
    val INDETERMINATE = OctetResult.INDETERMINATE
}

val OctetVerdict.Companion.Result: OctetResultNames get() = OctetResultNames
