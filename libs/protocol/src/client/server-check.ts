import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';
import { identifyCertificate, parseSpiffeId } from '@tagplane/identity';

/** Whom a client takes for an auth service. */
export interface ServerTrust {
  readonly authorities: readonly X509Certificate[];
  /** Undefined: of any cluster. */
  readonly cluster: string | undefined;
}

/** What the server showed: its own certificate first. */
export function presentedChain(own: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<object>();
  let next: Partial<DetailedPeerCertificate> | undefined = own;
  // An authority that signed itself is its own issuer.
  while (next?.raw !== undefined && !seen.has(next)) {
    seen.add(next);
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate;
  }
  return chain;
}

/**
 * Why this is not the auth service, for a person; undefined: it is. Beside what TLS has looked at, its
 * certificate must name an auth service of the cluster. Host names play no part.
 *
 * @param now Unix milliseconds
 */
export function serverProblem(
  chain: readonly X509Certificate[],
  trust: ServerTrust,
  now: number,
): string | undefined {
  const [own] = chain;
  if (own === undefined) return 'the auth service showed no certificate';
  const found = identifyCertificate(
    own,
    { cluster: trust.cluster ?? clusterOf(own), authorities: knownAuthorities(chain, trust, now) },
    now,
  );
  if (!found.ok) return problemOfServer(found.problem);
  const { role, name } = found.peer;
  return role === 'auth' ? undefined : `that is ${role}/${name}, not an auth service`;
}

/** What `identifyCertificate` says, about the other side. */
export function problemOfServer(problem: string): string {
  const clock = /expired|not valid yet/.test(problem) ? '; is the clock right?' : '';
  return `${problem.replace('the certificate', "the auth service's certificate")}${clock}`;
}

/** While authorities change, the new one comes with a certificate that the old one made for it. */
function knownAuthorities(
  chain: readonly X509Certificate[],
  { authorities }: ServerTrust,
  now: number,
): readonly X509Certificate[] {
  const known = [...authorities];
  for (const certificate of chain.slice(1).reverse()) {
    const issued = known.some((each) => certificate.checkIssued(each) && certificate.verify(each.publicKey));
    if (certificate.ca && issued && isValid(certificate, now)) known.push(certificate);
  }
  return known;
}

function isValid({ validFromDate, validToDate }: X509Certificate, now: number): boolean {
  return validFromDate.getTime() <= now && now < validToDate.getTime();
}

function clusterOf(certificate: X509Certificate): string {
  const [, uri = ''] = /^URI:([^,]+)/.exec(certificate.subjectAltName ?? '') ?? [];
  return parseSpiffeId(uri)?.cluster ?? '';
}
