// octet-device with the names that its documentation uses: OctetSdk.loc, OctetVerdict.Result.

public extension OctetSdk {
    var loc: OctetLoc { location() }
}

public extension OctetVerdict {
    typealias Result = OctetResult
}
