export {
  END_HEADERS,
  END_STREAM,
  FRAME,
  RawClient,
  frameOf,
  openRawClient,
  requestBlock,
  type RawClientOptions,
  type RawFrame,
} from './raw-client.ts';
export { TestAuthority, type TestCertificate, type TestCertificateOptions } from './test-authority.ts';
export { startTestServer, until, type TestServer, type TestServerOptions } from './test-server.ts';
export { TestIssuer, type TestAdmission, type TestJoin } from './test-issuer.ts';
