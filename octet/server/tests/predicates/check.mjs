// Which tokens npm's jose accepts, as docs/audit-a-proof.md has it: reads cases, prints a list of true and false.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const require = createRequire(`${process.argv[2]}/`);
const { createLocalJWKSet, jwtVerify } = await import(pathToFileURL(require.resolve('jose')));
const cases = JSON.parse(readFileSync(0));
const keys = createLocalJWKSet(cases.keys);
const accepts = (token) =>
  jwtVerify(token, keys, { algorithms: ['EdDSA'], audience: 'shop', typ: 'octet-proof+jwt' }).then(() => true, () => false);
console.log(JSON.stringify(await Promise.all(cases.tokens.map(accepts))));
