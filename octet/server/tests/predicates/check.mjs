// Which tokens npm's jose accepts, as docs/audit-a-proof.md has it: reads cases, prints a list of true and false.
import assert from 'node:assert';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const require = createRequire(`${process.argv[2]}/`);
const { calculateJwkThumbprint, createLocalJWKSet, decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } = await import(
  pathToFileURL(require.resolve('jose'))
);
const cases = JSON.parse(readFileSync(0));
const keys = createLocalJWKSet(cases.keys);

/** What a published key signed. */
async function octets(token, typ) {
  const { payload, protectedHeader } = await jwtVerify(token, keys, { algorithms: ['EdDSA'], audience: 'shop', typ });
  const key = cases.keys.keys.find((key) => key.kid === protectedHeader.kid);
  assert(key.nbf - 60 <= payload.iat && payload.iat < key.exp);
  return payload;
}

/** What a device signed, by the binding that vouches for its key. */
async function devices(token) {
  const binding = await octets(decodeJwt(token).attestation[0], 'octet-device+jwt');
  const key = await importJWK(binding.cnf.jwk, 'ES256');
  const { payload } = await jwtVerify(token, key, { algorithms: ['ES256'], audience: 'shop', typ: 'octet-proof+jwt' });
  for (const claim of ['iss', 'aud', 'sid']) assert.equal(payload[claim], binding[claim]);
  assert(binding.iat - 60 <= payload.iat && payload.iat < binding.signsUntil);
  const jkt = await calculateJwkThumbprint(binding.cnf.jwk);
  assert.deepEqual(payload.holder, { jkt, hardware: binding.hardware });
  return payload;
}

async function accepts(token) {
  const { kid } = decodeProtectedHeader(token);
  return cases.keys.keys.some((key) => key.kid === kid) ? octets(token, 'octet-proof+jwt') : devices(token);
}

const accepted = cases.tokens.map((token) => accepts(token).then(() => true, () => false));
console.log(JSON.stringify(await Promise.all(accepted)));
