export { createAuthority, crossSign, type AuthorityKeys, type Validity } from './authority.ts';
export { issueCertificate, type Subject } from './issue.ts';
export { SEALING_KEY_BYTES, SealError, openSecret, sealSecret } from './seal.ts';
